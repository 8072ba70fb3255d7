;; expect: import sip.base is not a function
(module
  (import "sip" "base" (global i32))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1))
