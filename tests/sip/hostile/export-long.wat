;; expect: export name of 49 bytes, the most is 48
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (export "a123456789b123456789c123456789d123456789e12345678" (func 0)))
