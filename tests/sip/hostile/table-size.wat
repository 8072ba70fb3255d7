;; expect: instruction 0xfc 16 is not allowed
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (table 1 1 funcref)
  (func
    table.size 0
    drop))
