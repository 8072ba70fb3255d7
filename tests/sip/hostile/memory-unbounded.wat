;; expect: a memory without an upper bound
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory 1))
