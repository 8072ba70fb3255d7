;; expect: instruction 0x12 is not allowed
;; flags: --enable-tail-call
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (func
    return_call 1))
