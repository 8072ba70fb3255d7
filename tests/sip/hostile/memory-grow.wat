;; expect: memory.grow: a SIP's memory has a fixed size
(module
  (func (export "sip_main") (result i32)
    i32.const 1
    memory.grow)
  (memory 1 1))
