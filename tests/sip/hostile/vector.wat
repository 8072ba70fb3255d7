;; expect: instruction 0xfd is not allowed
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (func
    v128.const i32x4 0 0 0 0
    drop))
