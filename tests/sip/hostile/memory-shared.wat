;; expect: a memory that is shared or of 64 bits
;; flags: --enable-threads
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory 1 1 shared))
