;; expect: an element segment reaches past the table
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (table 1 1 funcref)
  (elem (i32.const 1) 0))
