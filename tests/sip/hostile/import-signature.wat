;; expect: import sip.print has the wrong parameters or result
(module
  (import "sip" "print" (func (param i64 i64) (result i64)))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1))
