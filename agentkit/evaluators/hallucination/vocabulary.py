"""Words that carry a relation rather than a topic: function words, negations, opposites, exclusives (en, ru)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import MappingProxyType

from agentkit.text import stem


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION = _listed("""
    a an the and or but nor so yet if then than that this these those there here of to in on at by for from with without into
    onto over under about as is are was were be been being am do does did done doing have has had having will would shall should
    can could may might must i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
    myself himself herself itself themselves who whom whose which what when where why how s t d ll m re ve not no yes also very
    just too both each such own same other some any more most much many few less least up down out off again further once while
    during before after above below between through because until against only even ever still already however although though
    since per via upon among within across along around near toward towards throughout whether either neither
    it's i'm he's she's they're we're you're that's there's don't doesn't didn't isn't aren't wasn't weren't won't wouldn't
    can't couldn't cannot hasn't haven't hadn't shouldn't
    и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще нет о из
    ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь опять уж вам ведь там потом себя ничего ей может
    они тут где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под будет ж тогда кто этот того
    потому этого какой ним здесь этом один мой тем чтобы нее были куда зачем всех никогда можно при об другой хоть после над
    больше тот через эти нас про всего них какая много разве эту моя свою этой перед иногда лучше чуть том такой им более
    всегда конечно всю между также является являются который которая которое которые которых которого которому которым которой
    которую этих эта это лишь именно однако либо хотя своей своих своего свой свои её ещё чём нём всё
    """)
NEGATION = _listed("""
    not no never none neither nor cannot without nobody nothing nowhere hardly barely isn't aren't wasn't weren't don't doesn't
    didn't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't fail fails failed lack lacks lacked unable absence
    dont doesnt didnt isnt wasnt arent cant wont n't
    не нет ни никогда никто ничто нельзя без никакой никаких ничего нигде невозможно отсутствует отсутствуют отсутствие
    неспособен неспособна
    """)
EXCLUSIVE = _listed("""
    only sole solely all every always never none entire entirely completely exclusively first last largest smallest biggest
    highest lowest oldest youngest most least best worst unique any everyone everything
    только единственный единственная единственное все всегда никогда каждый каждая каждое любой полностью целиком исключительно
    первый первая первое последний последняя крупнейший крупнейшая старейший наибольший наименьший лучший худший самый самая
    """)
BOUNDARY = _listed("""
    and or but which who whose that while whereas where when as because
    и а но или который которая которое которые где когда что как
    """)
FIRST_PERSON = _listed(
    "i my me mine myself we our us i'm i've i'd i'll я мой моя моё мои мне меня мы наш наша наше нас нам"
)

_OPPOSITES = """
    increase,increases,increased,increasing,rise,rises,rose,risen,grow,grew,growth,grown,raise,raises,raised,expand,elevated,
    gain,gained,gains,up-regulated,upregulated,upregulates,upregulation,enhance,enhances,enhanced,enhancing,boost,boosts
    | decrease,decreases,decreased,decreasing,fall,falls,fell,fallen,decline,declines,declined,declining,drop,drops,dropped,
    reduce,reduces,reduced,reduction,reducing,shrink,shrank,lower,lowers,lowered,lowering,diminish,diminished,downregulated,
    downregulates,downregulation,impair,impairs,impaired,attenuate,attenuates,attenuated,loss,lost
    # higher,greater,more,larger,bigger,highest,most,high,largest,greatest | lower,less,fewer,smaller,lowest,least,low,smallest
    # longer,long | shorter,short # before,prior,earlier | after,following,later # early | late # better,best | worse,worst
    # promote,promotes,promoted,activate,activates,activated,activation,stimulate,stimulates,stimulated,induce,induces,induced,
    facilitate,facilitates,trigger,triggers,enable,enables,enabled,cause,causes,caused
    | inhibit,inhibits,inhibited,inhibition,suppress,suppresses,suppressed,suppression,block,blocks,blocked,blocking,prevent,
    prevents,prevented,preventing,abolish,abolished,deactivate,hinder,disrupt,disrupts
    # improve,improves,improved,improvement | worsen,worsens,worsened,deteriorate,deteriorated
    # positive,positively | negative,negatively # benefit,beneficial,benefits | harm,harmful,harms,detrimental
    # win,wins,won,victory,beat,defeat,defeated,defeats | lose,loses,lost,loss
    # accept,accepts,accepted,approve,approves,approved,agree,agreed,agrees,allow,allows,allowed,permit,permitted
    | reject,rejects,rejected,refuse,refuses,refused,deny,denies,denied,disapprove,disagree,disagreed,ban,bans,banned,forbid,
    forbidden,prohibit,prohibited,oppose,opposed
    # support,supports,supported | oppose,opposes,opposed # begin,began,begins,start,started,starts,open,opened,opens
    | end,ended,ends,stop,stopped,stops,close,closed,closes,finish,finished # buy,bought,buys | sell,sold,sells
    # born | died,dead # alive | dead,died # male,man,men,boy,father,son,brother,husband
    | female,woman,women,girl,mother,daughter,sister,wife # true,correct,right | false,incorrect,wrong
    # north,northern | south,southern # east,eastern | west,western # left | right # hot,warm,warmer,warming | cold,cool,cooler,
    cooling # rich,richer | poor,poorer # strong,stronger,strongly | weak,weaker,weakly # major | minor # maximum | minimum
    # above,over | below,under # inside,internal | outside,external # past | future # success,successful,succeed,succeeded
    | failure,unsuccessful,fail,failed # presence,present | absence,absent # common,frequent,often | rare,rarely,uncommon,seldom
    # all,every,always,each,everyone | none,never,nobody # many | few # majority | minority # add,added,adds | remove,removed,
    removes # sensitive,susceptible,sensitivity | resistant,insensitive,resistance # possible | impossible # guilty | innocent
    # include,includes,included | exclude,excludes,excluded # safe,safety | dangerous,unsafe # legal | illegal
    # arrive,arrived | depart,departed,left,leave # enter,entered | exit,exited,left # public | private # attack,attacked
    | defend,defended # old,older,oldest | new,newer,newest,young,younger,youngest # first | last # day | night
    # увеличить,увеличил,увеличила,увеличилось,увеличился,увеличение,увеличивает,увеличиваться,вырос,выросла,выросло,расти,
    растет,рост,повысить,повысил,повышение,повышает,повысился,усилить,усилил,усиление,усиливает
    | уменьшить,уменьшил,уменьшила,уменьшилось,уменьшился,уменьшение,уменьшает,уменьшаться,упал,упала,упало,падать,падает,
    падение,снизить,снизил,снижение,снижает,снизился,сократить,сократил,сокращение,сокращает,ослабить,ослабил,ослабление
    # больше,большой,большее,большие,крупнее,более,выше,высокий,высокая,высокое,наибольший,высший
    | меньше,малый,меньшее,меньшие,мельче,менее,ниже,низкий,низкая,низкое,наименьший,низший # раньше,ранее,прежде,до,ранний
    | позже,позднее,после,поздний # лучше,лучший,улучшить,улучшил,улучшение,улучшает | хуже,худший,ухудшить,ухудшил,ухудшение
    # победа,победить,победил,победила,победили,выиграть,выиграл,выиграла,выиграли
    | поражение,проиграть,проиграл,проиграла,проиграли,потерпеть # принять,принял,принято,одобрить,одобрил,разрешить,разрешил,
    разрешает,разрешено,согласиться,согласился
    | отклонить,отклонил,отвергнуть,отверг,отвергли,запретить,запретил,запрещает,запрещено,отказаться,отказался
    # начало,начать,начал,начала,начался,началась,началось,открыть,открыл,открыт,открыта,открылся
    | конец,закончить,закончил,закончился,завершить,завершил,завершился,закрыть,закрыл,закрыт,закрыта,закрылся
    # купить,купил,купила,покупать,покупка | продать,продал,продала,продавать,продажа # родиться,родился,родилась,рождение
    | умереть,умер,умерла,скончался,смерть # север,северный,северная,северо | юг,южный,южная,юго
    # восток,восточный,восточная | запад,западный,западная # левый,левая,слева | правый,правая,справа
    # горячий,тёплый,теплый,теплее | холодный,холоднее # богатый | бедный # сильный,сильнее,сильно | слабый,слабее,слабо
    # мужчина,мужской,отец,сын,брат,муж | женщина,женский,мать,дочь,сестра,жена # максимум,максимальный | минимум,минимальный
    # внутри,внутренний | снаружи,внешний # часто,частый | редко,редкий # все,всегда,каждый,любой | никто,никогда
    # много,многие,большинство | мало,немногие,меньшинство # добавить,добавил | удалить,удалил # положительный,позитивный
    | отрицательный,негативный # верно,правда,правильный | неверно,ложь,неправильный # старый,старше,старейший
    | новый,молодой,моложе,младше # длинный,длиннее,долгий | короткий,короче # возможно,возможный | невозможно,невозможный
    """


_FUNCTION_PLAIN = frozenset(word.replace("ё", "е") for word in FUNCTION)


def function_word(word: str) -> bool:
    """Whether ``word`` (any case) carries no topic of its own."""
    return word.casefold().replace("ё", "е") in _FUNCTION_PLAIN


def negates(word: str) -> bool:
    """Whether ``word`` turns a statement into its opposite: ``not``, ``never``, ``didn't``, ``не``, ``нет``."""
    low = word.casefold().replace("’", "'")
    return low in NEGATION or low.endswith("n't")


@cache
def opposites() -> MappingProxyType[str, frozenset[str]]:
    """Stem -> stems of its opposites, both ways."""
    table: dict[str, set[str]] = {}
    for left, right in _pairs():
        for one in left:
            table.setdefault(one, set()).update(right - left)
        for one in right:
            table.setdefault(one, set()).update(left - right)
    return MappingProxyType({key: frozenset(value) for key, value in table.items()})


def _pairs() -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    for entry in _OPPOSITES.split("#"):
        left, right = (
            frozenset(stem(word.strip()) for word in side.split(",") if word.strip()) for side in entry.split("|")
        )
        yield left, right
