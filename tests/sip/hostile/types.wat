;; expect: type mismatch
;; flags: --no-check
(module
  (func (export "sip_main") (result i32)
    i64.const 0)
  (memory 1 1))
