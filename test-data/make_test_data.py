#!/usr/bin/env python3
"""Make the test data: a hundred real titles, and a hundred thousand members who do not exist.

    python3 test-data/make_test_data.py [FOLDER]

Reads nothing.  Writes into FOLDER (default: the folder of this script)

    animelist.txt      the MAL ids, one a line, the title on most lists first
    animes.json        MAL id -> what MyAnimeList's API says about a title, without pictures
    dataframe.pkl.gz   the lists: a row for each member, a column for each title
    users-long.txt     usernames as malscraper.py would find them, those of the pickle among them
    users-short.txt    the first 2,500 of them

Exit status: 0; 2 more than one argument; 1 a file cannot be written; 130 Ctrl-C.

The titles, their ids, years, studios, genres and means are facts, written down by hand in TITLES.  The members are drawn from a
model, so that nobody's account is published.  One seed: every run gives the same files.

The model.  A member has a taste: a liking, positive or negative, for kinds of titles (those for tears, those with battles ...), for
single genres, studios and franchises, and for old or new titles.  The taste in one title is the weighted sum of these.  A title
is on the list if

    appeal of the title + activity of the member + taste + chance > 0

and a sequel only if what came before it is on the list (a few members start in the middle), the likelier the better that was
liked.  The liking of a title is taste and chance, and the score follows

    the member's level + the title's quality + the member's spread * liking

cut into 1 to 10.  Some entries have no score (0): more for some members than for others, fewer where the title was liked.  Some
members, mostly those with few titles, give 10 to everything.

The model is calibrated to the figures of real lists (of 2016, the hundred most scored titles; members with at least one score
among them), and every run prints how near it comes:

                                            real    here
    titles scored, lower quartile              6       6
    titles scored, median                     15      15
    titles scored, upper quartile             30      30
    titles scored, largest                    99      99
    scorers, first / hundredth title         3.8    3.75
    scores that are 1, %                     0.2    0.20
    scores that are 2, %                     0.2    0.19
    scores that are 3, %                     0.3    0.29
    scores that are 4, %                     0.9    0.87
    scores that are 5, %                     2.4    2.33
    scores that are 6, %                     5.9    5.85
    scores that are 7, %                    15.6   15.59
    scores that are 8, %                    25.3   25.54
    scores that are 9, %                    25.7   25.83
    scores that are 10, %                   23.4   23.32
    standard deviation of members' means     0.9    0.90
    members who score everything 10, %       5.0     5.1
    entries without a score, %              31.0    30.7
"""
import gzip
import json
import os
import pickle
import random
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

# Sizes
SEED = 2016                   # whole number; another one makes other members of the same kind
MEMBERS = 100_000             # rows of the pickle, a multiple of BLOCK
USERS_LONG = 104_000          # usernames in users-long.txt: the scraper also finds members whose lists are private or gone
USERS_SHORT = 2_500           # usernames in users-short.txt
BLOCK = 10_000                # members drawn at a time
CALIBRATION_MEMBERS = 40_000  # members drawn in each round of the calibration; they are not among the MEMBERS
CALIBRATION_ROUNDS = 16       # after that many nothing moves any more

# Figures of real lists which the model is calibrated to
SCORED_QUARTILES = (6, 15, 30)  # titles that a member has scored, of the hundred: quartiles over all members with at least one
SCORED_MEAN = 19.9              # and their mean
MOST_TO_HUNDREDTH = 3.8         # scorers of the first title / scorers of the hundredth
SCORE_SHARES = (0.2, 0.2, 0.3, 0.9, 2.4, 5.9, 15.6, 25.3, 25.7, 23.4)  # percent of the scores that are 1, 2, ... 10
MEMBER_MEAN_DEVIATION = 0.9     # standard deviation of the members' mean scores
ALL_TEN = 0.05                  # share of members who score everything 10
UNSCORED = 0.31                 # share of the entries without a score

# Taste: shares of its variance, which add up to 1
KIND_SHARE = 0.38
GENRE_SHARE = 0.22
STUDIO_SHARE = 0.14
ERA_SHARE = 0.18
FRANCHISE_SHARE = 0.08

# How taste shows
TASTE_IN_SEEING = 2.0    # weight of taste in what a member has on the list; 0: everybody sees what is popular
TASTE_IN_LIKING = 0.75   # share of taste in the variance of the liking; the rest is chance
LIKING_IN_SEQUEL = 1.2   # weight of the liking of what came before in whether the sequel is on the list
START_IN_MIDDLE = 4.5    # how much less likely (in logits) a sequel is for those who do not have what came before
LIKING_IN_SCORING = 0.4  # weight of the liking in whether an entry has a score
HABIT_OF_SCORING = 1.2   # standard deviation of the members' habit of leaving entries unscored (logits)
SPREAD_DEVIATION = 0.25  # standard deviation of the logarithm of the members' spread of scores
SHORT_LIST_ALL_TEN = 1.0 # how much likelier short lists are to have 10 everywhere; 0: as likely as long ones

# MAL id | title | English | Japanese | start | type, episodes | rating | studios | genres | franchise | sequel of | mean
# in the order of popularity.  "-": a franchise of its own; sequel of 0: of none; episodes "?": still running.
TITLES = '''
16498 | Shingeki no Kyojin | Attack on Titan | 進撃の巨人 | 2013 spring | tv 25 | r | Wit Studio | Action, Drama, Suspense, Gore, Military, Survival, Shounen | Shingeki no Kyojin | 0 | 8.56
1535 | Death Note | Death Note | デスノート | 2006 fall | tv 37 | r | Madhouse | Supernatural, Suspense, Psychological, Shounen | - | 0 | 8.62
5114 | Fullmetal Alchemist: Brotherhood | Fullmetal Alchemist: Brotherhood | 鋼の錬金術師 FULLMETAL ALCHEMIST | 2009 spring | tv 64 | r | Bones | Action, Adventure, Drama, Fantasy, Military, Shounen | Fullmetal Alchemist | 0 | 9.10
30276 | One Punch Man | One-Punch Man | ワンパンマン | 2015 fall | tv 12 | r | Madhouse | Action, Comedy, Adult Cast, Parody, Super Power, Seinen | One Punch Man | 0 | 8.49
11757 | Sword Art Online | Sword Art Online | ソードアート・オンライン | 2012 summer | tv 25 | pg_13 | A-1 Pictures | Action, Adventure, Fantasy, Romance, Video Game | Sword Art Online | 0 | 7.21
31964 | Boku no Hero Academia | My Hero Academia | 僕のヒーローアカデミア | 2016 spring | tv 13 | pg_13 | Bones | Action, School, Super Power, Shounen | Boku no Hero Academia | 0 | 7.86
38000 | Kimetsu no Yaiba | Demon Slayer: Kimetsu no Yaiba | 鬼滅の刃 | 2019 spring | tv 26 | r | ufotable | Action, Supernatural, Historical, Shounen | Kimetsu no Yaiba | 0 | 8.43
20 | Naruto | Naruto | ナルト | 2002 fall | tv 220 | pg_13 | Pierrot | Action, Adventure, Fantasy, Martial Arts, Super Power, Shounen | Naruto | 0 | 8.01
22319 | Tokyo Ghoul | Tokyo Ghoul | 東京喰種-トーキョーグール- | 2014 summer | tv 12 | r | Pierrot | Action, Horror, Supernatural, Gore, Psychological, Seinen | Tokyo Ghoul | 0 | 7.79
11061 | Hunter x Hunter (2011) | Hunter x Hunter | HUNTER×HUNTER(ハンター×ハンター) | 2011 fall | tv 148 | pg_13 | Madhouse | Action, Adventure, Fantasy, Super Power, Shounen | - | 0 | 9.03
40748 | Jujutsu Kaisen | Jujutsu Kaisen | 呪術廻戦 | 2020 fall | tv 24 | r | MAPPA | Action, Supernatural, School, Shounen | - | 0 | 8.53
25777 | Shingeki no Kyojin Season 2 | Attack on Titan Season 2 | 進撃の巨人 Season2 | 2017 spring | tv 12 | r | Wit Studio | Action, Drama, Suspense, Gore, Military, Survival, Shounen | Shingeki no Kyojin | 16498 | 8.52
32281 | Kimi no Na wa. | Your Name. | 君の名は。 | 2016 summer | movie 1 | pg_13 | CoMix Wave Films | Drama, Romance, Supernatural, School | - | 0 | 8.83
9253 | Steins;Gate | Steins;Gate | STEINS;GATE | 2011 spring | tv 24 | pg_13 | White Fox | Drama, Sci-Fi, Suspense, Psychological, Time Travel | Steins;Gate | 0 | 9.07
33486 | Boku no Hero Academia 2nd Season | My Hero Academia Season 2 | 僕のヒーローアカデミア | 2017 spring | tv 25 | pg_13 | Bones | Action, School, Super Power, Shounen | Boku no Hero Academia | 31964 | 8.07
1735 | Naruto: Shippuuden | Naruto Shippuden | -ナルト- 疾風伝 | 2007 winter | tv 500 | pg_13 | Pierrot | Action, Adventure, Fantasy, Martial Arts, Super Power, Shounen | Naruto | 20 | 8.28
35760 | Shingeki no Kyojin Season 3 | Attack on Titan Season 3 | 進撃の巨人 Season3 | 2018 summer | tv 12 | r | Wit Studio | Action, Drama, Suspense, Gore, Military, Survival, Shounen | Shingeki no Kyojin | 25777 | 8.63
19815 | No Game No Life | No Game, No Life | ノーゲーム・ノーライフ | 2014 spring | tv 12 | pg_13 | Madhouse | Comedy, Fantasy, Ecchi, Isekai, Strategy Game | - | 0 | 8.05
28851 | Koe no Katachi | A Silent Voice | 聲の形 | 2016 summer | movie 1 | pg_13 | Kyoto Animation | Drama, Romantic Subtext, School, Shounen | - | 0 | 8.93
1575 | Code Geass: Hangyaku no Lelouch | Code Geass: Lelouch of the Rebellion | コードギアス 反逆のルルーシュ | 2006 fall | tv 25 | r | Sunrise | Action, Drama, Sci-Fi, Mecha, Military, School, Super Power | Code Geass | 0 | 8.70
23273 | Shigatsu wa Kimi no Uso | Your Lie in April | 四月は君の嘘 | 2014 fall | tv 22 | pg_13 | A-1 Pictures | Drama, Romance, Music, School, Shounen | - | 0 | 8.64
4224 | Toradora! | Toradora! | とらドラ！ | 2008 fall | tv 25 | pg_13 | J.C.Staff | Drama, Romance, Comedy, School, Slice of Life | - | 0 | 8.05
31043 | Boku dake ga Inai Machi | Erased | 僕だけがいない街 | 2016 winter | tv 12 | r | A-1 Pictures | Mystery, Supernatural, Suspense, Psychological, Time Travel, Seinen | - | 0 | 8.30
21 | One Piece | One Piece | ONE PIECE | 1999 fall | tv ? | pg_13 | Toei Animation | Action, Adventure, Fantasy, Super Power, Shounen | - | 0 | 8.72
20507 | Noragami | Noragami | ノラガミ | 2014 winter | tv 12 | pg_13 | Bones | Action, Fantasy, Supernatural, Mythology, Shounen | - | 0 | 7.94
38524 | Shingeki no Kyojin Season 3 Part 2 | Attack on Titan Season 3 Part 2 | 進撃の巨人 Season3 Part.2 | 2019 spring | tv 10 | r | Wit Studio | Action, Drama, Suspense, Gore, Military, Survival, Shounen | Shingeki no Kyojin | 35760 | 9.05
10620 | Mirai Nikki (TV) | The Future Diary | 未来日記 | 2011 fall | tv 26 | r | asread. | Action, Supernatural, Suspense, Gore, Psychological, Survival, Shounen | - | 0 | 7.38
36456 | Boku no Hero Academia 3rd Season | My Hero Academia Season 3 | 僕のヒーローアカデミア | 2018 spring | tv 25 | pg_13 | Bones | Action, School, Super Power, Shounen | Boku no Hero Academia | 33486 | 7.99
199 | Sen to Chihiro no Kamikakushi | Spirited Away | 千と千尋の神隠し | 2001 summer | movie 1 | g | Studio Ghibli | Adventure, Supernatural, Fantasy, Mythology | - | 0 | 8.77
32182 | Mob Psycho 100 | Mob Psycho 100 | モブサイコ100 | 2016 summer | tv 12 | pg_13 | Bones | Action, Comedy, Supernatural, Super Power | - | 0 | 8.48
31240 | Re:Zero kara Hajimeru Isekai Seikatsu | Re:ZERO -Starting Life in Another World- | Re:ゼロから始める異世界生活 | 2016 spring | tv 25 | r | White Fox | Drama, Fantasy, Suspense, Isekai, Psychological, Time Travel | Re:Zero | 0 | 8.23
22199 | Akame ga Kill! | Akame ga Kill! | アカメが斬る！ | 2014 summer | tv 24 | r | White Fox | Action, Fantasy, Gore, Shounen | - | 0 | 7.47
6547 | Angel Beats! | Angel Beats! | Angel Beats! | 2010 spring | tv 13 | pg_13 | P.A. Works | Action, Drama, Supernatural, Comedy, School | - | 0 | 8.05
22535 | Kiseijuu: Sei no Kakuritsu | Parasyte -the maxim- | 寄生獣 セイの格率 | 2014 fall | tv 24 | r | Madhouse | Action, Horror, Sci-Fi, Gore, Psychological, Seinen | - | 0 | 8.32
2904 | Code Geass: Hangyaku no Lelouch R2 | Code Geass: Lelouch of the Rebellion R2 | コードギアス 反逆のルルーシュ R2 | 2008 spring | tv 25 | r | Sunrise | Action, Drama, Sci-Fi, Mecha, Military, Super Power | Code Geass | 1575 | 8.91
37779 | Yakusoku no Neverland | The Promised Neverland | 約束のネバーランド | 2019 winter | tv 12 | r | CloverWorks | Mystery, Sci-Fi, Suspense, Psychological, Survival, Shounen | - | 0 | 8.47
23755 | Nanatsu no Taizai | The Seven Deadly Sins | 七つの大罪 | 2014 fall | tv 24 | pg_13 | A-1 Pictures | Action, Adventure, Fantasy, Shounen | - | 0 | 7.64
24833 | Ansatsu Kyoushitsu | Assassination Classroom | 暗殺教室 | 2015 winter | tv 22 | pg_13 | Lerche | Action, Comedy, School, Shounen | - | 0 | 8.08
30 | Neon Genesis Evangelion | Neon Genesis Evangelion | 新世紀エヴァンゲリオン | 1995 fall | tv 26 | pg_13 | Gainax, Tatsunoko Production | Action, Avant Garde, Drama, Sci-Fi, Mecha, Psychological | - | 0 | 8.35
27899 | Tokyo Ghoul √A | Tokyo Ghoul √A | 東京喰種√A | 2015 winter | tv 12 | r | Pierrot | Action, Horror, Supernatural, Gore, Psychological, Seinen | Tokyo Ghoul | 22319 | 7.02
20583 | Haikyuu!! | Haikyu!! | ハイキュー!! | 2014 spring | tv 25 | pg_13 | Production I.G | Comedy, Drama, Sports, School, Shounen | Haikyuu!! | 0 | 8.44
269 | Bleach | Bleach | BLEACH - ブリーチ - | 2004 fall | tv 366 | pg_13 | Pierrot | Action, Adventure, Supernatural, Super Power, Shounen | - | 0 | 7.97
9919 | Ao no Exorcist | Blue Exorcist | 青の祓魔師 | 2011 spring | tv 25 | pg_13 | A-1 Pictures | Action, Fantasy, Supernatural, School, Shounen | - | 0 | 7.49
40028 | Shingeki no Kyojin: The Final Season | Attack on Titan: Final Season | 進撃の巨人 The Final Season | 2021 winter | tv 16 | r | MAPPA | Action, Drama, Suspense, Gore, Military, Survival, Shounen | Shingeki no Kyojin | 38524 | 8.79
6702 | Fairy Tail | Fairy Tail | FAIRY TAIL | 2009 fall | tv 175 | pg_13 | A-1 Pictures, Satelight | Action, Adventure, Comedy, Fantasy, Shounen | - | 0 | 7.57
28171 | Shokugeki no Souma | Food Wars! Shokugeki no Soma | 食戟のソーマ | 2015 spring | tv 24 | pg_13 | J.C.Staff | Gourmet, Ecchi, School, Shounen | - | 0 | 8.11
30831 | Kono Subarashii Sekai ni Shukufuku wo! | KonoSuba: God's Blessing on This Wonderful World! | この素晴らしい世界に祝福を！ | 2016 winter | tv 10 | pg_13 | Studio Deen | Adventure, Comedy, Fantasy, Isekai, Parody | KonoSuba | 0 | 8.10
37999 | Kaguya-sama wa Kokurasetai: Tensai-tachi no Renai Zunousen | Kaguya-sama: Love is War | かぐや様は告らせたい～天才たちの恋愛頭脳戦～ | 2019 winter | tv 12 | pg_13 | A-1 Pictures | Comedy, Romance, Psychological, School, Seinen | - | 0 | 8.40
1 | Cowboy Bebop | Cowboy Bebop | カウボーイビバップ | 1998 spring | tv 26 | r | Sunrise | Action, Sci-Fi, Adult Cast, Space | - | 0 | 8.75
28223 | Death Parade | Death Parade | デス・パレード | 2015 winter | tv 12 | r | Madhouse | Drama, Supernatural, Suspense, Psychological | - | 0 | 8.14
33352 | Violet Evergarden | Violet Evergarden | ヴァイオレット・エヴァーガーデン | 2018 winter | tv 13 | pg_13 | Kyoto Animation | Drama, Fantasy, Military, Psychological | - | 0 | 8.68
44511 | Chainsaw Man | Chainsaw Man | チェンソーマン | 2022 fall | tv 12 | r | MAPPA | Action, Fantasy, Gore, Shounen | - | 0 | 8.46
34134 | One Punch Man 2nd Season | One-Punch Man Season 2 | ワンパンマン | 2019 spring | tv 12 | r | J.C.Staff | Action, Comedy, Adult Cast, Parody, Super Power, Seinen | One Punch Man | 30276 | 7.50
38691 | Dr. Stone | Dr. Stone | ドクターストーン | 2019 summer | tv 24 | pg_13 | TMS Entertainment | Adventure, Comedy, Sci-Fi, Time Travel, Shounen | - | 0 | 8.27
13601 | Psycho-Pass | Psycho-Pass | サイコパス | 2012 fall | tv 22 | r | Production I.G | Action, Mystery, Sci-Fi, Suspense, Adult Cast, Detective, Psychological | - | 0 | 8.33
431 | Howl no Ugoku Shiro | Howl's Moving Castle | ハウルの動く城 | 2004 fall | movie 1 | g | Studio Ghibli | Adventure, Drama, Fantasy, Romance | - | 0 | 8.66
21881 | Sword Art Online II | Sword Art Online II | ソードアート・オンラインⅡ | 2014 summer | tv 24 | pg_13 | A-1 Pictures | Action, Adventure, Fantasy, Romance, Video Game | Sword Art Online | 11757 | 6.71
2167 | Clannad | Clannad | CLANNAD -クラナド- | 2007 fall | tv 23 | pg_13 | Kyoto Animation | Drama, Romance, Supernatural, Comedy, School, Slice of Life | Clannad | 0 | 7.99
11111 | Another | Another | アナザー | 2012 winter | tv 12 | r | P.A. Works | Horror, Mystery, Supernatural, Gore, School | - | 0 | 7.46
9989 | Ano Hi Mita Hana no Namae wo Bokutachi wa Mada Shiranai. | anohana: The Flower We Saw That Day | あの日見た花の名前を僕達はまだ知らない。 | 2011 spring | tv 11 | pg_13 | A-1 Pictures | Drama, Supernatural, Slice of Life | - | 0 | 8.30
50265 | Spy x Family | Spy x Family | SPY×FAMILY | 2022 spring | tv 12 | pg_13 | Wit Studio, CloverWorks | Action, Comedy, Childcare, Shounen | - | 0 | 8.45
164 | Mononoke Hime | Princess Mononoke | もののけ姫 | 1997 summer | movie 1 | pg_13 | Studio Ghibli | Action, Adventure, Fantasy, Historical | - | 0 | 8.67
226 | Elfen Lied | Elfen Lied | エルフェンリート | 2004 summer | tv 13 | r+ | Arms | Action, Horror, Sci-Fi, Supernatural, Drama, Romance, Gore, Psychological, Seinen | - | 0 | 7.46
121 | Fullmetal Alchemist | Fullmetal Alchemist | 鋼の錬金術師 | 2003 fall | tv 51 | pg_13 | Bones | Action, Adventure, Drama, Fantasy, Military, Shounen | Fullmetal Alchemist | 0 | 8.11
28891 | Haikyuu!! Second Season | Haikyu!! 2nd Season | ハイキュー!! セカンドシーズン | 2015 fall | tv 25 | pg_13 | Production I.G | Comedy, Drama, Sports, School, Shounen | Haikyuu!! | 20583 | 8.62
14719 | JoJo no Kimyou na Bouken (TV) | JoJo's Bizarre Adventure (2012) | ジョジョの奇妙な冒険 | 2012 fall | tv 26 | r | David Production | Action, Adventure, Supernatural, Historical, Shounen | JoJo | 0 | 7.89
35790 | Tate no Yuusha no Nariagari | The Rising of the Shield Hero | 盾の勇者の成り上がり | 2019 winter | tv 25 | r | Kinema Citrus | Action, Adventure, Drama, Fantasy, Isekai | - | 0 | 7.93
813 | Dragon Ball Z | Dragon Ball Z | ドラゴンボールZ | 1989 spring | tv 291 | pg_13 | Toei Animation | Action, Adventure, Comedy, Fantasy, Martial Arts, Super Power, Shounen | - | 0 | 8.19
8074 | Highschool of the Dead | High School of the Dead | 学園黙示録 HIGHSCHOOL OF THE DEAD | 2010 summer | tv 12 | r+ | Madhouse | Action, Horror, Supernatural, Ecchi, Gore, Survival, Shounen | - | 0 | 7.04
4181 | Clannad: After Story | Clannad: After Story | CLANNAD〜AFTER STORY〜 クラナド アフターストーリー | 2008 fall | tv 24 | pg_13 | Kyoto Animation | Drama, Romance, Supernatural, Slice of Life | Clannad | 2167 | 8.92
2001 | Tengen Toppa Gurren Lagann | Gurren Lagann | 天元突破グレンラガン | 2007 spring | tv 27 | pg_13 | Gainax | Action, Adventure, Sci-Fi, Comedy, Mecha | - | 0 | 8.63
5081 | Bakemonogatari | Bakemonogatari | 化物語 | 2009 summer | tv 15 | r | Shaft | Mystery, Romance, Supernatural | - | 0 | 8.32
32937 | Kono Subarashii Sekai ni Shukufuku wo! 2 | KonoSuba: God's Blessing on This Wonderful World! 2 | この素晴らしい世界に祝福を！２ | 2017 winter | tv 10 | pg_13 | Studio Deen | Adventure, Comedy, Fantasy, Isekai, Parody | KonoSuba | 30831 | 8.25
12189 | Hyouka | Hyouka | 氷菓 | 2012 spring | tv 22 | pg_13 | Kyoto Animation | Mystery, School, Slice of Life | - | 0 | 8.06
37430 | Tensei shitara Slime Datta Ken | That Time I Got Reincarnated as a Slime | 転生したらスライムだった件 | 2018 fall | tv 24 | pg_13 | 8bit | Action, Adventure, Comedy, Fantasy, Isekai, Reincarnation, Shounen | - | 0 | 8.13
37450 | Seishun Buta Yarou wa Bunny Girl Senpai no Yume wo Minai | Rascal Does Not Dream of Bunny Girl Senpai | 青春ブタ野郎はバニーガール先輩の夢を見ない | 2018 fall | tv 13 | pg_13 | CloverWorks | Drama, Romance, Supernatural, School | - | 0 | 8.22
3588 | Soul Eater | Soul Eater | ソウルイーター | 2008 spring | tv 51 | pg_13 | Bones | Action, Comedy, Fantasy, Supernatural, Shounen | - | 0 | 7.84
42897 | Horimiya | Horimiya | ホリミヤ | 2021 winter | tv 13 | pg_13 | CloverWorks | Romance, Comedy, School, Slice of Life, Shounen | - | 0 | 8.19
18679 | Kill la Kill | Kill la Kill | キルラキル | 2013 fall | tv 24 | r | Trigger | Action, Comedy, Ecchi, School, Super Power | - | 0 | 8.03
35849 | Darling in the FranXX | DARLING in the FRANXX | ダーリン・イン・ザ・フランキス | 2018 winter | tv 24 | r | A-1 Pictures, Trigger, CloverWorks | Action, Drama, Romance, Sci-Fi, Mecha | - | 0 | 7.19
9756 | Mahou Shoujo Madoka★Magica | Puella Magi Madoka Magica | 魔法少女まどか★マギカ | 2011 winter | tv 12 | pg_13 | Shaft | Drama, Suspense, Mahou Shoujo, Psychological | - | 0 | 8.38
10087 | Fate/Zero | Fate/Zero | フェイト/ゼロ | 2011 fall | tv 13 | r | ufotable | Action, Fantasy, Supernatural, Historical | Fate | 0 | 8.26
22297 | Fate/stay night: Unlimited Blade Works | Fate/stay night: Unlimited Blade Works | Fate/stay night [Unlimited Blade Works] | 2014 fall | tv 12 | r | ufotable | Action, Fantasy, Supernatural | Fate | 0 | 8.18
15809 | Hataraku Maou-sama! | The Devil is a Part-Timer! | はたらく魔王さま！ | 2013 spring | tv 13 | pg_13 | White Fox | Comedy, Fantasy, Romance, Workplace | - | 0 | 7.76
18153 | Kyoukai no Kanata | Beyond the Boundary | 境界の彼方 | 2013 fall | tv 12 | pg_13 | Kyoto Animation | Drama, Fantasy, Supernatural, School, Slice of Life | - | 0 | 7.70
11741 | Fate/Zero 2nd Season | Fate/Zero Season 2 | フェイト/ゼロ 2ndシーズン | 2012 spring | tv 12 | r | ufotable | Action, Fantasy, Supernatural, Suspense, Historical | Fate | 10087 | 8.53
6746 | Durarara!! | Durarara!! | デュラララ!! | 2010 winter | tv 24 | r | Brain's Base | Action, Mystery, Supernatural | - | 0 | 8.10
34599 | Made in Abyss | Made in Abyss | メイドインアビス | 2017 summer | tv 13 | r | Kinema Citrus | Adventure, Drama, Fantasy, Mystery, Sci-Fi, Gore | - | 0 | 8.64
4898 | Kuroshitsuji | Black Butler | 黒執事 | 2008 fall | tv 24 | pg_13 | A-1 Pictures | Action, Comedy, Fantasy, Supernatural, Historical, Shounen | - | 0 | 7.66
29803 | Overlord | Overlord | オーバーロード | 2015 summer | tv 13 | r | Madhouse | Action, Adventure, Fantasy, Isekai, Video Game | - | 0 | 7.90
39535 | Mushoku Tensei: Isekai Ittara Honki Dasu | Mushoku Tensei: Jobless Reincarnation | 無職転生 ～異世界行ったら本気だす～ | 2021 winter | tv 11 | r | Studio Bind | Adventure, Drama, Fantasy, Ecchi, Isekai, Reincarnation | - | 0 | 8.35
14813 | Yahari Ore no Seishun Love Comedy wa Machigatteiru. | My Teen Romantic Comedy SNAFU | やはり俺の青春ラブコメはまちがっている。 | 2013 spring | tv 13 | pg_13 | Brain's Base | Comedy, Romance, School, Slice of Life | - | 0 | 8.00
5680 | K-On! | K-On! | けいおん！ | 2009 spring | tv 13 | pg_13 | Kyoto Animation | Comedy, Music, School, Slice of Life | - | 0 | 7.86
10793 | Guilty Crown | Guilty Crown | ギルティクラウン | 2011 fall | tv 22 | r | Production I.G | Action, Drama, Sci-Fi, Super Power | - | 0 | 7.43
14741 | Chuunibyou demo Koi ga Shitai! | Love, Chunibyo & Other Delusions! | 中二病でも恋がしたい！ | 2012 fall | tv 12 | pg_13 | Kyoto Animation | Comedy, Drama, Romance, School, Slice of Life | - | 0 | 7.70
20899 | JoJo no Kimyou na Bouken: Stardust Crusaders | JoJo's Bizarre Adventure: Stardust Crusaders | ジョジョの奇妙な冒険 スターダストクルセイダース | 2014 spring | tv 24 | r | David Production | Action, Adventure, Supernatural, Historical, Shounen | JoJo | 14719 | 8.07
853 | Ouran Koukou Host Club | Ouran High School Host Club | 桜蘭高校ホスト部 | 2006 spring | tv 26 | pg_13 | Bones | Comedy, Romance, School, Shoujo | - | 0 | 8.16
39587 | Re:Zero kara Hajimeru Isekai Seikatsu 2nd Season | Re:ZERO -Starting Life in Another World- Season 2 | Re:ゼロから始める異世界生活 2nd season | 2020 summer | tv 13 | r | White Fox | Drama, Fantasy, Suspense, Isekai, Psychological, Time Travel | Re:Zero | 31240 | 8.32
10165 | Nichijou | Nichijou - My Ordinary Life | 日常 | 2011 spring | tv 26 | pg_13 | Kyoto Animation | Comedy, School, Slice of Life, Shounen | - | 0 | 8.46
30484 | Steins;Gate 0 | Steins;Gate 0 | シュタインズ・ゲート ゼロ | 2018 spring | tv 23 | pg_13 | White Fox | Drama, Sci-Fi, Suspense, Psychological, Time Travel | Steins;Gate | 9253 | 8.53
'''

# Short names that people search for
SYNONYMS = {16498: ['AoT', 'SnK'], 5114: ['FMAB'], 30276: ['OPM'], 11757: ['SAO'], 31964: ['BNHA', 'MHA'], 38000: ['KnY'],
            11061: ['HxH'], 40748: ['JJK'], 19815: ['NGNL'], 23273: ['KimiUso'], 9989: ['AnoHana'], 33352: ['VE'],
            30: ['NGE'], 121: ['FMA'], 8074: ['HOTD'], 813: ['DBZ'], 2001: ['TTGL'], 37430: ['TenSura'], 18153: ['KnK'],
            14813: ['OreGairu'], 853: ['OHSHC'], 44511: ['CSM'], 32182: ['MP100']}

# Relations besides those of the column `sequel of`: MAL id, relation type, MAL id.  Two of the hundred are joined by a title that
# is not among them, which has its name here
RELATIONS = [(121, 'alternative_version', 5114), (5114, 'alternative_version', 121), (11741, 'sequel', 356),
             (22297, 'alternative_version', 356)]
NOT_AMONG_THEM = {356: 'Fate/stay night'}

# Ids of MyAnimeList's genres, themes and demographics (the API calls them all genres) and of its studios
GENRES = {'Action': 1, 'Adventure': 2, 'Avant Garde': 5, 'Comedy': 4, 'Drama': 8, 'Ecchi': 9, 'Fantasy': 10, 'Gourmet': 47,
          'Horror': 14, 'Mystery': 7, 'Romance': 22, 'Sci-Fi': 24, 'Slice of Life': 36, 'Sports': 30, 'Supernatural': 37,
          'Suspense': 41, 'Adult Cast': 50, 'Childcare': 53, 'Detective': 39, 'Gore': 58, 'Historical': 13, 'Isekai': 62,
          'Mahou Shoujo': 66, 'Martial Arts': 17, 'Mecha': 18, 'Military': 38, 'Music': 19, 'Mythology': 6, 'Parody': 20,
          'Psychological': 40, 'Reincarnation': 72, 'Romantic Subtext': 74, 'School': 23, 'Space': 29, 'Strategy Game': 11,
          'Super Power': 31, 'Survival': 76, 'Time Travel': 78, 'Video Game': 79, 'Workplace': 48, 'Seinen': 42, 'Shoujo': 25,
          'Shounen': 27}
STUDIOS = {'8bit': 441, 'A-1 Pictures': 56, 'Arms': 38, 'asread.': 163, 'Bones': 4, "Brain's Base": 112, 'CloverWorks': 1835,
           'CoMix Wave Films': 291, 'David Production': 287, 'Gainax': 6, 'J.C.Staff': 7, 'Kinema Citrus': 290,
           'Kyoto Animation': 2, 'Lerche': 456, 'Madhouse': 11, 'MAPPA': 569, 'P.A. Works': 132, 'Pierrot': 1,
           'Production I.G': 10, 'Satelight': 41, 'Shaft': 44, 'Studio Bind': 1993, 'Studio Deen': 37, 'Studio Ghibli': 21,
           'Sunrise': 14, 'Tatsunoko Production': 103, 'TMS Entertainment': 73, 'Toei Animation': 18, 'Trigger': 803,
           'ufotable': 43, 'White Fox': 314, 'Wit Studio': 858}

# Who likes one of these genres tends to like the others of its row
KINDS = {'battle': ['Action', 'Super Power', 'Martial Arts', 'Shounen', 'Adventure'],
         'everyday': ['School', 'Romance', 'Slice of Life', 'Comedy', 'Music', 'Romantic Subtext', 'Shoujo', 'Sports'],
         'dark': ['Gore', 'Psychological', 'Horror', 'Suspense', 'Survival', 'Mystery', 'Avant Garde'],
         'other worlds': ['Isekai', 'Fantasy', 'Video Game', 'Reincarnation', 'Parody', 'Strategy Game', 'Ecchi'],
         'machines': ['Mecha', 'Sci-Fi', 'Space', 'Military', 'Time Travel', 'Adult Cast', 'Detective'],
         'tears': ['Drama', 'Romance', 'Supernatural', 'Romantic Subtext', 'Music']}

# What usernames are put together from
SYLLABLES = ('a ba be bi bo chi da de do e fu ga gi go ha he hi ho i ji jo ka ke ki ko ku kyo la li lo lu ma me mi mo mu na ne ni '
             'no nu o ra re ri ro ru ryu sa se shi sho so su ta te to tsu u wa ya yo yu za ze zu').split()
ONSETS = 'b br c cr d dr f fl g gr h j k l m n p r s sk sl st t th tr v w z'.split()
VOWELS = 'a e i o u ai ea ee ia oo ou'.split()
CODAS = ['', '', '', 'ck', 'd', 'l', 'm', 'n', 'nd', 'r', 'rd', 'rk', 's', 'sh', 't', 'th', 'x']
WORDS = ('amber ash autumn bear bird blade bloom blue bolt bread broken cat cherry cloud comet cookie copper crow crystal dark dawn '
         'deep dragon dream dusk echo ember fang feather fish flame fox frost ghost gold gray green happy hollow honey ice iron '
         'ivory jade kitten lazy leaf lemon light lone lost lucky lunar maple mist moon moss night noodle ocean onion owl panda '
         'paper peach pixel plum quiet rabbit rain raven red river robot rose ruby rust salt sand secret shade shadow silent '
         'silver sky sleepy snow soda soft song spark spring star stone storm sugar summer sun sweet swift tea thunder tiger '
         'tiny tofu turtle velvet violet void wave white wild wind winter wolf zen zero').split()


def read_titles():
    """TITLES as a list of namespaces, in its order; `after` is the position of what a sequel follows, or None.

    ValueError where the table contradicts itself: an id twice, a sequel above what it follows, an unknown genre or studio.
    """
    titles, position = [], {}
    for rank, line in enumerate(TITLES.strip().splitlines(), 1):
        mal_id, title, english, japanese, start, kind, rating, studios, genres, franchise, after, mean = line.split(' | ')
        mal_id, after = int(mal_id), int(after)
        if mal_id in position or (after and after not in position):
            raise ValueError(f'TITLES: {mal_id} ({title}) is there twice, or stands above the title that it follows')
        position[mal_id] = rank - 1
        year, season = start.split()
        media_type, episodes = kind.split()
        titles.append(SimpleNamespace(
            mal_id=mal_id, title=title, english=english, japanese=japanese, year=int(year), season=season,
            media_type=media_type, episodes=None if episodes == '?' else int(episodes), rating=rating,
            studios=studios.split(', '), genres=genres.split(', '), franchise=title if franchise == '-' else franchise,
            after=position[after] if after else None, mean=float(mean), popularity=rank))
        unknown = set(titles[-1].genres) - set(GENRES) | set(titles[-1].studios) - set(STUDIOS)
        if unknown:
            raise ValueError(f'TITLES: {title} has a genre or studio without an id: {", ".join(sorted(unknown))}')
    return titles


def api_nodes(titles):
    """What animes.json holds: MAL id (string) -> node, in the form of MyAnimeList's API v2."""
    nodes = {}
    for t in titles:
        node = {'id': t.mal_id, 'title': t.title,
                'alternative_titles': {'synonyms': SYNONYMS.get(t.mal_id, []), 'en': t.english, 'ja': t.japanese},
                'mean': t.mean, 'popularity': t.popularity, 'rating': t.rating, 'media_type': t.media_type,
                'num_episodes': t.episodes, 'start_season': {'year': t.year, 'season': t.season},
                'genres': [{'id': GENRES[g], 'name': g} for g in t.genres],
                'studios': [{'id': STUDIOS[s], 'name': s} for s in t.studios]}
        if t.episodes is None:
            del node['num_episodes']
        node['related_anime'] = []
        nodes[str(t.mal_id)] = node
    names = {**NOT_AMONG_THEM, **{t.mal_id: t.title for t in titles}}
    sequels = [(titles[t.after].mal_id, 'sequel', t.mal_id) for t in titles if t.after is not None]
    prequels = [(after, 'prequel', before) for before, _, after in sequels]
    for mal_id, relation, other in prequels + sequels + RELATIONS:
        nodes[str(mal_id)]['related_anime'].append({
            'node': {'id': other, 'title': names[other]}, 'relation_type': relation,
            'relation_type_formatted': relation.replace('_', ' ').capitalize()})
    return nodes


def title_features(titles):
    """The titles as points that a taste is measured along, one row a title, every row of length 1.

    Columns: kinds, genres, studios, franchises, two for old or new.  A genre that few titles have says more about a title, so its
    weight is log(1 + titles / titles with it), as with words in documents (tf-idf); below five titles it grows no further, since a
    genre of one title makes nothing similar to it.
    """
    def indicator(names_of):
        names = sorted({name for t in titles for name in names_of(t)})
        return np.array([[name in names_of(t) for name in names] for t in titles], dtype=float)

    genres = indicator(lambda t: t.genres)
    genres *= np.log(1 + len(titles) / np.maximum(5, genres.sum(0)))
    names = sorted({name for t in titles for name in t.genres})
    # Squared, so that a title belongs mostly to one kind
    kinds = np.column_stack([genres[:, [name in kind for name in names]].sum(1) for kind in KINDS.values()]) ** 2
    studios = indicator(lambda t: t.studios)
    franchises = indicator(lambda t: [t.franchise])
    parts = [np.sqrt(share) * part / np.linalg.norm(part, axis=1, keepdims=True)
             for share, part in ((KIND_SHARE, kinds), (GENRE_SHARE, genres), (STUDIO_SHARE, studios),
                                 (FRANCHISE_SHARE, franchises))]
    years = np.array([t.year for t in titles])
    # An angle from -75 degrees (1998 and before) to 75 degrees (2022): the length stays 1, and neighbouring years stay near.
    angle = np.radians(75) * np.clip((years - 2010) / 12, -1, 1)
    era = np.sqrt(ERA_SHARE) * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.hstack(parts + [era])


def draw_lists(titles, features, model, count, rng):
    """The lists of `count` members: a float32 array members x titles; NaN not on the list, 0 without a score, else 1 to 10.

    `model` holds what calibrate() finds.  Every member has at least one score: others are drawn again.
    """
    drawn = int(count * 1.08) + 50
    activity = rng.normal(0, model.activity_deviation, drawn)
    level = rng.normal(0, model.level_deviation, drawn)
    spread = np.exp(rng.normal(0, SPREAD_DEVIATION, drawn))
    habit = rng.normal(0, HABIT_OF_SCORING, drawn)
    all_ten = rng.logistic(size=drawn) + model.all_ten - SHORT_LIST_ALL_TEN * activity > 0
    # einsum and not @: its result does not depend on the number of threads.
    taste = np.einsum('uf,tf->ut', rng.normal(size=(drawn, features.shape[1])), features)
    chance = rng.normal(size=taste.shape)
    liking = np.sqrt(TASTE_IN_LIKING) * taste + np.sqrt(1 - TASTE_IN_LIKING) * chance

    # x + logistic noise > 0 has the probability 1 / (1 + exp(-x))
    noise = rng.logistic(size=taste.shape)
    on_list = np.zeros(taste.shape, dtype=bool)
    for k, t in enumerate(titles):
        if t.after is None:
            on_list[:, k] = model.appeal[k] + activity + TASTE_IN_SEEING * taste[:, k] + noise[:, k] > 0
        else:
            goes_on = model.appeal[k] + activity / 2 + LIKING_IN_SEQUEL * liking[:, t.after] + noise[:, k]
            on_list[:, k] = goes_on > np.where(on_list[:, t.after], 0, START_IN_MIDDLE)
    noise = rng.logistic(size=taste.shape)
    unscored = model.unscored + habit[:, None] - LIKING_IN_SCORING * liking + noise > 0

    opinion = level[:, None] + model.quality + spread[:, None] * liking
    scores = np.searchsorted(model.cuts, opinion.ravel()).reshape(opinion.shape) + 1
    scores[all_ten] = 10
    lists = np.where(on_list, np.where(unscored, 0, scores), np.nan).astype(np.float32)
    some = (lists > 0).any(axis=1)
    if some.sum() < count:
        raise RuntimeError(f'only {some.sum()} of {drawn} members have a score; {count} are needed')
    # What calibrate() needs to place the cuts: the opinions of those who do not simply give 10.
    model.opinions = opinion[some][:count][(lists[some][:count] > 0) & ~all_ten[some][:count, None]]
    return lists[some][:count]


def target_shares(titles):
    """The share of members that has scored each title: falls from the first to the last by MOST_TO_HUNDREDTH, with mean SCORED_MEAN.

    The form, exp(-c x^0.42) with x the popularity rank from 0 to 1, is that of real lists, where the eleventh title has 0.60 of
    the first one's scorers and the 51st 0.35.
    """
    x = np.arange(len(titles)) / (len(titles) - 1)
    curve = np.exp(-np.log(MOST_TO_HUNDREDTH) * x ** 0.42)
    return curve * SCORED_MEAN / curve.sum()


def figures(lists):
    """The figures of an array of lists (members x titles), by the names of calibrate()'s targets; shares are fractions of 1."""
    scored = lists > 0
    counts, scorers = scored.sum(1), scored.sum(0)
    some = counts > 0
    values = np.where(scored, lists, 0).astype(float)
    member_means = values[some].sum(1) / counts[some]
    return SimpleNamespace(
        quartiles=np.percentile(counts[some], [25, 50, 75]), largest=counts.max(), mean_count=counts[some].mean(),
        scorers=scorers, title_means=values.sum(0) / scorers,
        shares=np.bincount(lists[scored].astype(int), minlength=11)[1:11] / scored.sum(),
        member_mean_deviation=member_means.std(), all_ten=(member_means == 10).mean(),
        unscored=(lists == 0).sum() / (~np.isnan(lists)).sum())


def calibrate(titles, features):
    """The numbers of the model which make its figures those of real lists: draws the same members again and again and corrects.

    Returns a namespace: appeal and quality (a number for each title), cuts (nine opinions between the ten scores),
    activity_deviation, level_deviation, unscored and all_ten (logits).
    """
    def logit(p):
        return np.log(p / (1 - p))

    shares, counts = np.array(SCORE_SHARES) / sum(SCORE_SHARES), target_shares(titles)
    means = np.array([t.mean for t in titles])
    # The titles' means are right relative to each other; the shares of the scores decide where they lie together.
    means = means - (means * counts).sum() / counts.sum() + (shares * np.arange(1, 11)).sum()
    model = SimpleNamespace(appeal=logit(counts), quality=means - means.mean(), cuts=np.linspace(-4, 1, 9), activity_deviation=1.5,
                            level_deviation=0.7, unscored=logit(UNSCORED), all_ten=logit(ALL_TEN))
    for _ in range(CALIBRATION_ROUNDS):
        rng = np.random.default_rng([SEED, 1])
        f = figures(draw_lists(titles, features, model, CALIBRATION_MEMBERS, rng))
        reached = np.clip(f.scorers / CALIBRATION_MEMBERS, 1e-4, 1 - 1e-4)
        model.appeal += 0.8 * (logit(counts) - logit(reached))
        model.quality += 0.8 * (means - f.title_means)
        model.quality -= model.quality.mean()
        model.unscored += logit(UNSCORED) - logit(f.unscored)
        model.all_ten += 0.8 * (logit(ALL_TEN) - logit(max(f.all_ten, 1e-3)))
        model.level_deviation *= MEMBER_MEAN_DEVIATION / f.member_mean_deviation
        lower, _, upper = f.quartiles
        model.activity_deviation *= (np.log(SCORED_QUARTILES[2] / SCORED_QUARTILES[0]) / np.log(upper / lower)) ** 0.5
        # The tens of the members who give nothing else come first; the others share out what is left.
        others = len(model.opinions) / f.scorers.sum()
        below = np.cumsum(shares)[:-1] / others
        model.cuts = np.quantile(model.opinions, np.minimum(below, 1))
    return model


def make_usernames(count):
    """`count` usernames of the form [A-Za-z0-9_-]{2,16}, no two equal if upper and lower case are not told apart."""
    rng = random.Random(SEED)

    def invented():
        if rng.random() < 0.6:
            return ''.join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3, 3, 4))))
        return ''.join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice((1, 2, 2))))

    def written(word):
        return rng.choice((word, word, word.capitalize(), word.capitalize(), word.capitalize(), word.upper()
                           if len(word) < 5 else word))

    names, taken = [], set()
    while len(names) < count:
        parts = [invented() if rng.random() < 0.65 else rng.choice(WORDS) for _ in range(rng.choice((1, 1, 2)))]
        name = rng.choice(('', '', '', '', '_', '-')).join(written(part) for part in parts)
        ending = rng.random()
        if ending < 0.25:
            name += str(rng.randrange(100))
        elif ending < 0.35:
            name += str(rng.randrange(1980, 2013))
        elif ending < 0.40:
            name += str(rng.randrange(100, 10000))
        elif ending < 0.44:
            name += rng.choice(('_', '-', 'x', 'X', '-san', '-kun', '-chan', '_'))
        elif ending < 0.46:
            name = rng.choice(('x', 'The', 'Mr', 'its', '_')) + name
        if re.fullmatch('[A-Za-z0-9_-]{2,16}', name) and name.lower() not in taken:
            taken.add(name.lower())
            names.append(name)
    return names


def make_lists(titles, usernames, members):
    """The DataFrame of the pickle for the first `members` (a multiple of BLOCK) of MEMBERS: index usernames, columns MAL ids."""
    features = title_features(titles)
    model = calibrate(titles, features)
    # A generator for each block: the first rows are the same however many members are drawn.
    blocks = [draw_lists(titles, features, model, BLOCK, np.random.default_rng([SEED, 2, block]))
              for block in range(members // BLOCK)]
    # The members whose lists could be had, in the order in which they were found
    found = sorted(random.Random(SEED + 1).sample(range(len(usernames)), MEMBERS))[:members]
    return pd.DataFrame(np.concatenate(blocks), index=pd.Index([usernames[k] for k in found], dtype=object),
                        columns=pd.Index([t.mal_id for t in titles], dtype='int64'))


def print_figures(titles, lists):
    """Target and reached figure, side by side."""
    f = figures(lists)
    rows = [('titles scored, lower quartile', SCORED_QUARTILES[0], f'{f.quartiles[0]:.0f}'),
            ('titles scored, median', SCORED_QUARTILES[1], f'{f.quartiles[1]:.0f}'),
            ('titles scored, upper quartile', SCORED_QUARTILES[2], f'{f.quartiles[2]:.0f}'),
            ('titles scored, largest', 99, f'{f.largest}'),
            ('scorers, first / hundredth title', MOST_TO_HUNDREDTH, f'{f.scorers[0] / f.scorers[-1]:.2f}')]
    rows += [(f'scores that are {score}, %', share, f'{100 * got:.2f}')
             for score, (share, got) in enumerate(zip(SCORE_SHARES, f.shares), 1)]
    rows += [("standard deviation of members' means", MEMBER_MEAN_DEVIATION, f'{f.member_mean_deviation:.2f}'),
             ('members who score everything 10, %', 100 * ALL_TEN, f'{100 * f.all_ten:.1f}'),
             ('entries without a score, %', 100 * UNSCORED, f'{100 * f.unscored:.1f}')]
    print(f'    {"":38}{"real":>6}{"here":>8}')
    for name, target, reached in rows:
        print(f'    {name:38}{target:>6}{reached:>8}')


def write_whole(path, data):
    """Write bytes so that the file appears whole or not at all."""
    beside = path.with_name(path.name + '.tmp')
    try:
        with open(beside, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def main(arguments):
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    if len(arguments) > 1:
        print('one argument at most: the folder to write into', file=sys.stderr)
        return 2
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        print(f'{folder} is no folder that can be written into', file=sys.stderr)
        return 1
    begin = time.perf_counter()
    titles = read_titles()
    usernames = make_usernames(USERS_LONG)
    lists = make_lists(titles, usernames, MEMBERS)
    # gzip.compress with mtime=0, since pandas would write the time of day into the file
    pickled = gzip.compress(pickle.dumps(lists, protocol=4), compresslevel=9, mtime=0)
    files = {'animelist.txt': ''.join(f'{t.mal_id}\n' for t in titles).encode(),
             'animes.json': (json.dumps(api_nodes(titles), ensure_ascii=False, indent=1) + '\n').encode(),
             'dataframe.pkl.gz': pickled,
             'users-long.txt': ''.join(f'{name}\n' for name in usernames).encode(),
             'users-short.txt': ''.join(f'{name}\n' for name in usernames[:USERS_SHORT]).encode()}
    try:
        for name, data in files.items():
            write_whole(folder / name, data)
            print(f'{folder / name}: {len(data):,} bytes')
    except OSError as error:
        print(f'{folder / name} could not be written: {error.strerror}', file=sys.stderr)
        return 1
    print_figures(titles, lists.to_numpy())
    print(f'{time.perf_counter() - begin:.0f} s')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print('stopped; no file is half written, run it again to make them all', file=sys.stderr)
        sys.exit(130)
