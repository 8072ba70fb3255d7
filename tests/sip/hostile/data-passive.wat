;; expect: a passive or indexed data segment
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (data "bytes"))
