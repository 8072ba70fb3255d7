;; expect: floating point
(module
  (func (export "sip_main") (result i32)
    i32.const 0)
  (memory (export "memory") 1 1)
  (func (param i32)
    local.get 0
    f32.reinterpret_i32
    i32.trunc_sat_f32_s
    drop))
