;; expect: export name is not a C identifier
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (export "*/ int injected(void) { return 1; } /*" (func 0)))
