;; expect: export base is neither a function nor the memory
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (global (export "base") i32 (i32.const 0)))
