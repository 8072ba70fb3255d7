;; expect: a custom section
;; flags: --debug-names
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (func $named))
