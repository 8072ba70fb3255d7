;; expect: a data segment reaches past the memory
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (data (i32.const 65534) "bytes"))
