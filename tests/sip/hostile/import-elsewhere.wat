;; expect: import env.yield is not in the list
(module
  (import "env" "yield" (func (result i64)))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1))
