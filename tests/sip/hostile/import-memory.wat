;; expect: import sip.memory is not a function
(module
  (import "sip" "memory" (memory 1 1))
  (func (export "sip_main") (result i32)
    i32.const 0))
