;; expect: a passive or indexed element segment
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (table 1 1 funcref)
  (elem func 0))
