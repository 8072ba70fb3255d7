;; expect: a memory of 1025 to 1025 units, the most is 1024
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory 1025 1025))
