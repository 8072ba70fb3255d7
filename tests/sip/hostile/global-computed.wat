;; expect: initializer expression can only reference an imported global
;; flags: --no-check
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (global i32 (i32.const 0))
  (global i32 (global.get 0)))
