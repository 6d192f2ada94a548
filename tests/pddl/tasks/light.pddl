(define (problem light) (:domain lights) (:objects l1 l2 l3 - lamp)
 (:init (power) (wired l1 l2) (wired l2 l3))
 (:goal (and (forall (?l - lamp) (on ?l)) (not (power)))))
