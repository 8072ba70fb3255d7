;; expect: instruction 0xd0 is not allowed
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (table 1 1 funcref)
  (func
    i32.const 0
    ref.null func
    table.set 0))
