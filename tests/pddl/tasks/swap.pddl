(define (problem swap) (:domain blocks) (:objects a b c)
 (:init (handempty) (on a b) (ontable b) (ontable c) (clear a) (clear c))
 (:goal (and (on b a) (on c b))))
