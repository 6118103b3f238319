;; Searches the bytes that a socket has read, 64 at a time.
;;
;; The memory begins with four tables of 256 bytes, which have for each byte a set of markers, as bits: for those in which
;; it stands before a slash (at 0), before a backslash (256), after that slash (512), after that backslash (768). What is
;; searched lies behind them. Up to 64 bytes behind that are read too, and never change what is found.
(module
  (memory (export "memory") 5)

  ;; The first position from $at to before $end at which a slash or backslash stands between two bytes of one marker; $end
  ;; if there is none.
  (func (export "anchor") (param $at i32) (param $end i32) (result i32)
    (local $slash v128) (local $backslash v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $found i32)
    (local.set $slash (i8x16.splat (i32.const 0x2f)))
    (local.set $backslash (i8x16.splat (i32.const 0x5c)))
    (loop $blocks
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
      (local.set $a (v128.load (local.get $at)))
      (local.set $b (v128.load offset=16 (local.get $at)))
      (local.set $c (v128.load offset=32 (local.get $at)))
      (local.set $d (v128.load offset=48 (local.get $at)))
      (local.set $a (v128.or (i8x16.eq (local.get $a) (local.get $slash)) (i8x16.eq (local.get $a) (local.get $backslash))))
      (local.set $b (v128.or (i8x16.eq (local.get $b) (local.get $slash)) (i8x16.eq (local.get $b) (local.get $backslash))))
      (local.set $c (v128.or (i8x16.eq (local.get $c) (local.get $slash)) (i8x16.eq (local.get $c) (local.get $backslash))))
      (local.set $d (v128.or (i8x16.eq (local.get $d) (local.get $slash)) (i8x16.eq (local.get $d) (local.get $backslash))))
      (if (v128.any_true (v128.or (v128.or (local.get $a) (local.get $b)) (v128.or (local.get $c) (local.get $d))))
        (then
          (local.set $found (call $pick (local.get $at) (call $bits (local.get $a) (local.get $b))))
          (if (i32.eqz (local.get $found))
            (then
              (local.set $found
                (call $pick (i32.add (local.get $at) (i32.const 32)) (call $bits (local.get $c) (local.get $d))))))
          (if (local.get $found)
            (then (return (select (local.get $found) (local.get $end) (i32.lt_u (local.get $found) (local.get $end))))))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $blocks))
    (unreachable))

  ;; A bit for each of 32 bytes, the first one's the lowest.
  (func $bits (param $first v128) (param $second v128) (result i32)
    (i32.or
      (i8x16.bitmask (local.get $first))
      (i32.shl (i8x16.bitmask (local.get $second)) (i32.const 16))))

  ;; The first position of those marked from $at on that stands between two bytes of one marker; 0 if there is none.
  (func $pick (param $at i32) (param $bits i32) (result i32)
    (local $position i32) (local $table i32)
    (block $none
      (loop $next
        (br_if $none (i32.eqz (local.get $bits)))
        (local.set $position (i32.add (local.get $at) (i32.ctz (local.get $bits))))
        (local.set $table (i32.shl (i32.eq (i32.load8_u (local.get $position)) (i32.const 0x5c)) (i32.const 8)))
        (if (i32.and
              (i32.load8_u
                (i32.add (local.get $table) (i32.load8_u (i32.sub (local.get $position) (i32.const 1)))))
              (i32.load8_u offset=512
                (i32.add (local.get $table) (i32.load8_u offset=1 (local.get $position)))))
          (then (return (local.get $position))))
        (local.set $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1))))
        (br $next)))
    (i32.const 0))

  ;; How many newlines stand from $at to before $end.
  (func (export "newlines") (param $at i32) (param $end i32) (result i32)
    (local $newline v128) (local $counts v128) (local $count i32) (local $stop i32)
    (local.set $newline (i8x16.splat (i32.const 0x0a)))
    ;; Whole blocks. A lane counts to 255 at most, so after 63 blocks of 4 the lanes are added up.
    (loop $rounds
      (local.set $stop (i32.and (i32.sub (local.get $end) (local.get $at)) (i32.const -64)))
      (if (local.get $stop)
        (then
          (local.set $stop
            (i32.add (local.get $at) (select (local.get $stop) (i32.const 4032) (i32.lt_u (local.get $stop) (i32.const 4032)))))
          (local.set $counts (i8x16.splat (i32.const 0)))
          (loop $blocks
            (local.set $counts (i8x16.sub (local.get $counts) (i8x16.eq (v128.load (local.get $at)) (local.get $newline))))
            (local.set $counts (i8x16.sub (local.get $counts) (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $newline))))
            (local.set $counts (i8x16.sub (local.get $counts) (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $newline))))
            (local.set $counts (i8x16.sub (local.get $counts) (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $newline))))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (br_if $blocks (i32.lt_u (local.get $at) (local.get $stop))))
          (local.set $counts (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $counts))))
          (local.set $count
            (i32.add
              (local.get $count)
              (i32.add
                (i32.add (i32x4.extract_lane 0 (local.get $counts)) (i32x4.extract_lane 1 (local.get $counts)))
                (i32.add (i32x4.extract_lane 2 (local.get $counts)) (i32x4.extract_lane 3 (local.get $counts))))))
          (br $rounds))))
    ;; The bytes that are left.
    (block $done
      (loop $bytes
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $count (i32.add (local.get $count) (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $bytes)))
    (local.get $count)))
