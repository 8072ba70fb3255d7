;; expect: section 13 is unknown
;; flags: --enable-exceptions
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (tag))
