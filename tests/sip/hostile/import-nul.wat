;; expect: import name is not a C identifier
(module
  (import "sip" "yield\00" (func (result i64)))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1))
