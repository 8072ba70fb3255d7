;; expect: no memory: the module must have exactly one
(module
  (func (export "sip_main") (result i32)
    i32.const 0))
