;; expect: 2 results of one function, the most is 1
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (func (result i32 i32)
    i32.const 0
    i32.const 0))
