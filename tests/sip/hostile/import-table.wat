;; expect: import sip.table is not a function
(module
  (import "sip" "table" (table 1 1 funcref))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1))
