"""Which full stops do not end a sentence, and which words often begin one."""

from __future__ import annotations


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A word always follows these: titles, references, "that is".
NEVER_END = _listed("""
    mr mrs ms dr prof sr jr st messrs gen col maj capt lt sgt cmdr adm gov sen rep hon rev fr pres supt vs cf al
    eg ie viz approx ca mt ft т г-н г-жа гр тов проф акад доц канд ген полк кап им ул пр-т просп пер пл бул наб
    д кв корп стр с рис табл см ср напр св о оз гл п пп ст ч разд изд ред сост прим соч собр т.е т.к т.н и.о
    англ нем фр франц лат греч итал исп рус укр яп кит араб обл респ пос дер род ум ок
    """)
# "No. 5", "Jan. 3", but "He said no. Then he left."
BEFORE_NUMBER = _listed("""
    no nos vol pp p fig figs eq eqs sec ch art op ed eds para jan feb mar apr jun jul aug sep sept oct nov dec
    mon tue tues wed thu thur thurs fri янв февр мар апр авг сент окт нояб дек
    """)
# These end a sentence only where what follows looks like the start of one.
MAY_END = _listed("""
    inc ltd co corp llc plc bros etc u.s u.k u.n e.u d.c a.m p.m am pm b.c a.d ph.d m.d b.a m.a est dept univ
    assn ave blvd rd г гг в вв др пр т.д т.п н.э до тыс млн млрд трлн руб коп км кг см мм га мин сек ч долл р
    чел экз
    """)
STARTERS = _listed("""
    the a an he she it they we you i this that these those there in on at by for from after before when while as
    if but and however although since during his her its their our my your what who how why where with to no not
    some many most all one two another both each such here then later today в во на с со к у по за от до из о об
    при для он она оно они мы вы я это этот эта эти тот та те там тут здесь и а но или если когда как что кто
    где после перед так также затем потом однако хотя его её их наш все некоторые многие во-первых не нет по-
    прежнему согласно кроме
    """)
