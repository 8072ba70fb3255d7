;; expect: a memory that is shared or of 64 bits
;; flags: --enable-memory64
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory i64 1 1))
