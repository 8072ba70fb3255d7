;; expect: export sip_main has the wrong parameters or result
(module
  (func (export "sip_main") (param i32) (result i32)
    i32.const 0)
  (memory 1 1))
