;; expect: export yield is not in the list
(module
  (import "sip" "yield" (func (result i64)))
  (export "yield" (func 0))
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory 1 1))
