;; expect: no function sip_main is exported
(module
  (memory 1 1))
