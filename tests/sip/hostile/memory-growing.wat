;; expect: a memory that can grow from 1 to 2
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory 1 2))
