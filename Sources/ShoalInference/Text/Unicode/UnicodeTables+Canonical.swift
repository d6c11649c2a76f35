// Canonical decompositions of the Unicode Character Database 14.0.0 (UnicodeData.txt, field 5),
// one level deep, as text: the standard library has combining classes but no mappings.

extension DecompositionTable {
  /// Entries as `DecompositionTable.init` reads them.
  static let canonicalText = """
    5c.3m.132 1.131.134 1.133.136 1.135.138 1.137.13i 1.13h.13m 2.13h.154 1.14z.12u 1.12t.12w
    1.12v.12y 1.12x.13a 1.131.12m 1.12l.12o 1.12n.12q 1.12p.132 2.12r.12i 1.12f.12a 1.129.12c
    1.12b.12e 1.12d.12g 1.12f.12q 3.12d.11y 1.11x.120 1.11z.122 1.121.12e 1.125.11s 3.11b.11a
    1.119.11c 1.11b.11e 1.11d.11g 1.11f.11q 1.11p.11u 2.11p.13c 1.137.112 1.111.114 1.113.116
    1.115.11i 1.119.10u 1.10t.10w 1.10v.10y 1.10x.11a 2.10z.10q 1.10n.10i 1.10h.10k 1.10j.10m
    1.10l.10o 1.10n.10y 3.10l.106 1.105.108 1.107.10a 1.109.10m 1.10d.100 2.zz.10e 1.13h.13a
    1.11h.11i 1.139.13e 1.11l.11m 1.13d.15a 1.13h.13i 1.155.130 1.117.118 1.12z.132 1.119.11a
    1.131.13c 1.11j.11k 1.13b.13m 1.11t.11u 1.13j.13k 1.11r.11s 3.13h.132 1.119.11a 1.131.136
    1.11d.11e 1.135.138 1.11f.11g 1.137.152 1.139.13a 1.151.13i 1.11p.11q 1.13d.12u 1.111.112
    1.12t.132 1.119.11a 1.131.134 1.11b.11c 1.133.14w 1.133.134 1.14t.12s 1.10z.110 3.12p.12s
    1.10z.110 1.12r.12u 1.111.112 1.12t.12y 1.115.116 1.12x.14u 1.131.132 1.14t.130 4.12x.12o
    1.10v.10w 1.12l.14o 1.12v.12w 2.14l.12i 1.10p.10q 1.12h.14m 1.12t.12u 1.14l.134 1.11b.11c
    5.12z.12e 1.10l.10m 1.12d.14i 1.12p.12q 1.14h.130 1.117.118 4.12x.12i 1.10p.10q 1.12h.12m
    1.10t.10u 1.12l.12w 1.113.114 3.12p.126 1.10d.10e 1.125.14a 1.12h.12i 1.149.12s 1.10z.110
    1.12p.124 1.10b.10c 1.123.126 1.10d.10e 1.125.148 1.12f.12g 1.147.12q 1.10x.10y 1.12n.146
    1.12d.12e 1.145.12o 1.10v.10w 3.12l.124 1.10b.10c 1.123.126 1.10d.10e 1.125.12a 1.10h.10i
    1.129.12i 1.10p.10q 1.12h.12k 1.10r.10s 1.12j.146 1.12d.12e 1.141.11y 1.105.106 1.11t.11u
    1.101.102 1.11t.126 1.123.11q 1.zx.zy 1.11p.122 1.109.10a 1.121.12c 1.10j.10k y.12x.13s
    1.11z.120 e.13f.13g 1.11n.11o t.14j.13q 1.11x.11y 1.139.13a 1.11h.11i 1.12x.12y 1.115.116
    1.12l.12m 1.10t.10u 1.v3.uo 1.sv.sw 1.un.ui 1.sp.sq 1.uh.v4 1.tb.tc 1.v3.ug 1.sn.so 2.vr.w0
    1.u7.u8 1.cb.cc 1.c9.ca 1.vv.vw 1.u3.u4 3.12x.13e 1.11l.11m 1.135.136 1.11d.11e 1.12x.14i
    1.12p.12q 1.hn.fo 1.fl.fm 1.ih.iy 1.6r.6s 1.11f.11g 4.13d.12s 1.10z.110 3.12d.12c 1.10j.10k
    1.vp.vs 1.tz.u0 1.vp.vq 1.tx.ty 1.up.uq 1.sx.sy 1.133.13w 1.123.124 1.13v.140 1.127.128
    1.13r.13o 1.11v.11w 1.13n.13s 1.11z.120 1.13j.13g 1.11n.11o 1.13f.13k 1.11r.11s 1.137.134
    1.11b.11c 1.133.138 1.11f.11g 1.131.12y 1.115.116 1.12x.132 1.119.11a 1.12v.12s 1.10z.110
    1.12r.12w 1.113.114 1.12z.146 1.12d.12e 1.143.144 1.12b.12c 3.14r.13c 1.11j.11k 7.13p.13g
    1.11n.11o 1.137.150 1.137.138 1.wx.v0 1.t7.t8 1.v1.v2 1.t9.ta 1.12h.12o 1.10v.10w 1.c1.bw
    1.bt.bu 1.11x.11y 1.105.106 7h*2.7 2.12 1.l.d 1c.3z a.zf 7.62.xe 1.80.7z 1.wj 1.14s.87 1.8c.8b
    1.8g.8f 2.8s.8r 2.94.93 1.9c.9b 1.b6.b5 q.8g.81 1.8q.8p 1.9e.9r 1.a0.9z 1.a4.a3 1.a8.a7
    1.b8.b7 q.a8.9t 1.ai.ah 1.a6.aj 1.aw.av 1.b4.b3 5.bm.bl 1.bm.b7 18.ey.fd 1.fe.ex 2.eu.f7
    4.ei.e3 5.f8.fl 1.fi.fj 1.g6.ft b.f8.f7 w.h0.gz n.gu.h5 1.h6.gp 2.gm.gz 4.iy.ij 5.h0.hd
    1.ha.hb 1.hy.hl o.kc.jt 1.jw.jv 22.em.f3 1.gw.gv e.es.er 1.gk.gj 1.es.en 1.gg.gf 3.ey.f1
    1.gu.gt 3.pw.pr 1.pu.pt 1.f0.ez 1.gs.gr 1.f2.f1 1.gu.gt 3.f4.fb 1.h4.h3 1.fc.f3 1.gw.gv
    1.fg.ff 1.h8.h7 3.qo.qn 1.qq.qp 1.ga.g9 1.i2.i1 1.fq.fx 1.hq.hp 1.fy.fp 1.hi.hh 1.fq.fj
    1.hc.hb 1.fs.fx 1.hq.hp 3.g6.g5 1.hy.hx 89.18e.2g 1.2f.2i 1.n.o 1.2h.2k 1.l.k 4a.76.75 2.62.61
    h.70.6z gm.148.14 8.n.o 3.h.i 10.25.26 1.23.24 1.21.22 1.1r.1s 1.1h.1i 1.1f.1g 1.x.y 1.p.q
    30.7q.h 1.i.w g.2z.1i 1.1f.1g 2.p.q 2c.6k.k 3.7.8 z.23.24 1.21.22 1.1r.1s 3.x.y 6i.eu.u 3.t.h
    1.i.w g.2z.1i 1.1f.1g 1j.4s.3u 1i.x.f 1.i.h 1.g.y 3g.66.w 3c.5u.18 7.t.u 1.t.w 2.v.7 1.g.m
    3j.6a.f 1.i.h 1.g.y 3y.78.t 2.u.j 1.q.z 1.u.c 9x.jq.6i a.5x.5y 5.5n.5o 5.5d.5e 5.53.54 d.6l.6i
    a.3r.2 2.1.6 1.3g.2r 2.2u.2t 9.t.u i.10.22 a.1h.1i 5.17.18 5.x.y 5.n.o d.25.22 31.68.i
    25c.4a6.2o 2.2j.2k 2.2f.2g 2.2b.2c 2.27.28 4.1z.20 15.a.9 2.e.d 3.i.h 1.k.j 2.q.p jh.anb.154
    1.13b.13c 1.151.13e 1.11l.11m 1.13d.14y 1.135.136 1.14x.15q 1.13x.13y 1.yb.vo 1.tv.tw
    1.12x.13a 1.11h.11i 1.139.14u 1.131.132 1.14t.15m 1.13t.13u 1.15l.152 1.139.13a 1.151.15e
    1.13l.13m 1.tx.rg 1.rd.re 1.rf.ri 1.rf.rg 1.12v.15c 1.13j.13k 1.15b.15i 1.13p.13q 1.en.cc
    1.c9.ca 1.133.136 1.11d.11e 1.133.12y 1.115.116 1.12v.132 1.119.11a 1.131.14m 1.12t.12u
    1.14l.134 1.11b.11c 1.133.14u 1.131.132 1.14t.158 1.13f.13g 1.155.15a 1.13h.13i 1.xt.v8
    1.tf.tg 1.12j.12k 1.10r.10s 1.12j.14g 1.12n.12o 1.14f.158 1.13f.13g 1.155.14e 1.12l.12m
    1.ap2.aqr 1.aqu.aqt 1.12n.156 1.13d.13e 1.155.14y 1.135.136 1.14v.12g 1.10n.10o 1.12f.12s
    1.10z.110 1.12r.14c 1.12j.12k 1.149.12q 1.10x.10y 1.12p.14a 1.12h.12i 1.149.152 1.139.13a
    1.151.14u 1.131.132 1.xb.uw 1.t3.t4 1.uv.va 1.th.ti 1.on.o8 1.o5.o6 1.o7.oa 1.o7.o8 1.129.12a
    1.10h.10i 1.129.12m 1.10t.10u 1.12h.12i 1.10p.10q 1.12h.142 1.129.12a 1.ar2.asr 1.asu.ast
    1.12b.14u 1.131.132 1.14r.12g 1.10n.10o 1.12f.140 1.127.128 1.pd.nu 1.nr.ns 1.nh.ni 1.nf.ng
    1.at2.at1 1.at4.at3 1.12d.12e 1.10l.10m 1.12d.13y 1.125.126 1.13x.14q 1.12x.12y 1.14p.14i
    1.12p.12q 1.14f.13y 1.125.126 1.13x.14m 1.12t.12u 1.14l.14g 1.12n.12o 1.p5.mq 1.mn.mo 1.ml.n0
    1.mx.my 1.12b.122 1.109.10a 1.121.13u 1.121.122 1.13r.11u 1.101.102 1.11t.11w 1.103.104
    1.11v.12a 1.10h.10i 1.129.128 1.10f.10g 1.127.13s 1.11z.120 1.13p.126 1.10d.10e 1.125.128
    1.10f.10g 1.125.124 1.10b.10c 1.121.11s 1.zz.100 1.11r.13m 1.11t.11u 1.13l.14e 1.12l.12m
    1.13l.13m 1.12x.10o 1.10h.10m 1.10h.10i 2.lx.ls 5.13f.150 1.137.138 1.14z.13k 1.11r.11s
    1.wd.vy 1.u5.u6 1.vx.vw 1.u3.u4 1.vv.we 1.ul.um 1.wd.w2 1.u9.ua 1.awq.awr 1.awu.awt 1.sf.se
    1.sb.sc 1.sd.sc 1.s9.sa 1.sb.su 1.sr.ss 1.st.si 1.sf.sg 1.awq.awj 1.awm.awl 1.135.14s
    1.12z.130 1.14r.13c 1.11j.11k 1.13b.130 1.117.118 1.vl.vi 1.tp.tq 1.vh.vg 1.tn.to 1.vf.vy
    1.u5.u6 1.vx.vm 1.tt.tu 1.ay2.ay3 1.ay6.ay5 1.12p.134 1.11b.11c 1.133.14k 1.12r.12s 1.147.148
    1.12f.12g 1.147.12s 1.10z.110 1.vd.uy 1.t5.t6 1.ux.uw 1.t3.t4 1.uv.ve 1.tl.tm 1.vd.v2 1.t9.ta
    1.az6.az7 1.aza.az9 1.jn.jm 1.jj.jk 1.jl.jk 1.jh.ji 1.jj.k2 1.jz.k0 1.k1.jq 1.jn.jo 1.jp.li
    1.lf.lg 1.13v.13w 1.123.124 1.13v.12g 1.10n.10o 1.j7.is 1.ip.iq 1.ir.iq 1.in.io 1.ip.j8
    1.j5.j6 1.j7.iw 1.it.iu 1.iv.ko 1.kl.km 1.13n.11q 1.zx.zy 1.11p.13o 1.11v.11w 1.13n.128
    1.10f.10g 1.127.11w 1.103.104 7.9o.8r 1.8s.8p 1.b14.b27 1.b2a.b29 1.b28.b25 1.b28.b27
    1.b26.ayj 1.aym.ayl 1.4e.6z 1.70.6x 1.b1k.b2n 1.b2q.b2p 1.b2o.b2l 1.b2o.b2n 1.b2m.ayz
    1.az2.az1 1.6e.8z 1.90.8x 1.b20.b33 1.b36.b35 1.b34.b31 1.b34.b33 3.88.77 1.78.75 1.b2g.b3j
    1.b3m.b3l 1.b3k.b3h 1.b3k.b3j 3.a4.93 1.94.91 1.b2w.b3z 1.b42.b41 1.b40.b3x 1.b40.b3z
    1.b3y.b0b 1.b0e.b0d 1.4q.7b 1.7c.79 1.b3c.b4f 1.b4i.b4h 1.b4g.b4d 1.b4g.b4f 1.b4e.b0r
    1.b0u.b0t 1.6m.97 1.98.95 1.b3s.b4v 1.b4y.b4x 1.b4w.b4t 1.b4w.b4v 1.b4u.b17 1.b1a.b19 1.4u.7f
    1.7g.7d 1.b48.b5b 1.b5e.b5d 1.b5c.b59 1.b5c.b5b 1.b5a.b1n 1.b1q.b1p 1.6y.9j 1.9k.9h 1.b4o.b5r
    1.b5u.b5t 1.b5s.b5p 1.b5s.b5r 3.8s.7r 1.7s.7p 1.b54.b67 1.b6a.b69 1.b68.b65 1.b68.b67 3.aw.9v
    1.9w.9t 1.b5k.b6n 1.b6q.b6p 1.b6o.b6l 1.b6o.b6n 1.b6m.b2z 1.b32.b31 2.5i.81 2.b62.b75
    2.b76.b73 2.b74.b3h 1.7i.a3 1.a4.a1 1.b6g.b7j 1.b7m.b7l 1.b7k.b7h 1.b7k.b7j 1.b7i.b3v
    1.b3y.b3x 1.5q.8b 1.8c.89 1.b6w.b7z 1.b82.b81 1.b80.b7x 1.b80.b7z 1.b7y.b4b 1.b4e.b4d 1.66.9t
    1.9k 1.i.a1 1.9m 1.k.a5 1.9o 1.m.a9 1.9q 1.w.al 1.bc 1.d.ax 1.be 1.7.b5 1.bg 3.aqs.ayd
    1.ayg.ayf 1.ayi.ayh 1.ayk.ayj 1.aym.ayl 1.ayo.ayn 1.ayq.ayp 1.ays.ayr 1.ayu.ayt 1.ayw.ayv
    1.ayy.ayx 1.az0.ayz 1.az2.az1 1.az4.az3 1.az6.az5 1.az8.az7 1.b06.b05 1.b08.b07 1.b0a.b09
    1.b0c.b0b 1.b0e.b0d 1.b0g.b0f 1.b0i.b0h 1.b0k.b0j 1.b0m.b0l 1.b0o.b0n 1.b0q.b0p 1.b0s.b0r
    1.b0u.b0t 1.b0w.b0v 1.b0y.b0x 1.b10.b0z 1.b3q.b3p 1.b3s.b3r 1.b3u.b3t 1.b3w.b3v 1.b3y.b3x
    1.b40.b3z 1.b42.b41 1.b44.b43 1.b46.b45 1.b48.b47 1.b4a.b49 1.b4c.b4b 1.b4e.b4d 1.b4g.b4f
    1.b4i.b4h 1.b4k.b4j 1.60.9h 1.9i.9l 1.b88.b4l 1.60.5z 1.5q.5p 2.60.65 1.b8o.b8h 1.48.7p
    1.7q.7t 1.7u.81 1.7g 1.m.47 2.6g 3.17l.110 1.b50.b4t 1.6c.6b 1.5u.5t 2.6c.6h 1.b9k.b9d 1.4g.89
    1.7k 1.u.8d 1.7m 1.s.4j 1.b90.bct 1.bcu.bcr 1.bcs.b95 1.6m.9x 1.9y.a1 1.b0.b7 1.80 3.2a.6l
    1.7k.7j 1.4u.85 1.86.89 1.8a.8h 1.7o 2.b8o.bgb 1.bgc.bg9 1.bga.bcn 1.7a.al 1.am.ap 1.b2.b9
    1.9s 1.y.9n 1.9o.9l 1.9u.79 1.7m.7l 1.5i.8t 1.8u.8x 1.8y.95 1.7w 1.12.7t 1.yf.xc 1.7e 1.18p
    3.cag.b59 1.7c.7b 1.7m.7l 2.7c.7h 1.bc8.bc1 1.50.8t 1.7s 1.1m.9d 1.7y 1.1g.5j 1.10h 3*2.cd8
    85.b75 4.1bv 1.6s 33.cye.bzj 1.bzo.bzn j.bzs.bzr v.c34.c33 1.c3c.c3b 1.c38.c37 1h.c5y.c5x
    5.c68.c67 3.c6e.c6d o.c7q.c7p 2.c7u.c7t r.c94.c93 3.c9i.c9h 3.c9m.c9l 2.c9s.c9r n.16d.16e
    2.cb6.cb5 b.ca2.ca1 1.16f.16g 1.16b.16c 1.cbc.cbb 1.cbe.cbd 3.cc4.cc3 1.cc6.cc5 3.ccc.ccb
    1.cce.ccd 7.cck.ccj 1.ccm.ccl 3.cd0.ccz 1.cd2.cd1 3.cd8.cd7 1.cda.cd9 z.ces.cer 1.cf4.cf3
    1.cf6.cf5 1.cfa.cf9 1d.cco.ccn 1.ccq.ccp 1.cdu.cdt 1.cdw.cdv 7.cfo.cfn 1.cfq.cfp 1.cfs.cfr
    1.cfu.cft 1o*2.hpc 1iq.21h.fnt 12o.ht2.4c 2.47.48 2.43.44 2.3z.40 2.3v.3w 2.3r.3s 2.3n.3o
    2.3j.3k 2.3f.3g 2.3b.3c 2.37.38 2.33.34 3.2x.2y 2.2t.2u 2.2p.2q 7.2b.2c 1.2b.2e 2.27.26
    1.25.28 2.21.20 1.1z.22 2.1v.1u 1.1t.1w 2.1p.1o 1.1n.1q n.4n.4m a.8.7 e.10.z 2.14.13 2.18.17
    2.1c.1b 2.1g.1f 2.1k.1j 2.1o.1n 2.1s.1r 2.1w.1v 2.20.1z 2.24.23 2.28.27 3.2e.2d 2.2i.2h
    2.2m.2l 7.30.2z 1.30.2x 2.34.35 1.36.33 2.3a.3b 1.3c.39 2.3g.3h 1.3i.3f 2.3m.3n 1.3o.3l n.o.p
    3.4s.4r 1.4u.4t 1.4w.4v 1.4y.4x 4.5k.5j 13ia.107y 1.eqv 1.fqk 1.sj 1.bu5 1.cvx 1.292 1.twu 1.0
    1.rrp 1.mbk 1.ntf 1.1he 1.3fg 1.82u 1.3lk 1.2no 1.l2 1.ho 1.2zy 1.f89 1.182 1.1h8 1.16y 1.6gu
    1.57e 1.3da 1.tst 1.1ye 1.9b2 1.2su 1.7xg 1.9gi 1.pln 1.7cm 1.8n8 1.1f2 1.f91 1.c9q 1.2ha
    1.gbt 1.3a2 1.2hy 1.278 1.bs4 1.psf 1.v6 1.ge 1.72k 1.2e6 1.2uy 1.1wu 1.3lg 1.2dm 1.4s 1.2zq
    1.3nq 1.1oa 1.106 1.esb 1.di 1.1mq 1.2fm 1.60m 1.4ja 1.7rl 1.jql 1.2fe 1.blk 1.1mk 1.5kn 1.2j4
    1.7w0 1.416 1.ojh 1.1ec 1.5eq 1.1hq 1.h6 1.5kw 1.eo 1.9ig 1.qnl 1.i2a 1.ifx 1.v 1.fxc 1.1fo
    1.2g6 1.7bc 1.4bt 1.g2p 1.2ue 1.d14 1.o09 1.5ek 1.1na 1.7oq 1.r6 1.dkh 1.eyw 1.gaf 1.6ac 1.6yf
    1.c5a 1.2w7 1.9ck 1.gcd 1.1ti 1.c3q 1.58w 1.2iq 1.c7z 1.e7g 1.dvz 1.3rn 1.clq 1.ccp 1.70q
    1.fal 1.12u 1.5c 1.8z4 1.824 1.26o 1.3ba 1.2re 1.otv 1.ii 1.21u 1.25u 1.2pe 1.41e 1.3mg 1.b9i
    1.1ve 1.1ne 1.32 1.u3p 1.7yu 1.1uq 1.e6u 1.jbv 1.188 1.68 1.110 1.45u 1.uk 1.1a8 1.22q 1.1n8
    1.za 1.5ta 1.41b 1.4fe 1.18u 1.pr9 1.7s 1.tw 1.b2u 1.9h0 1.r4 1.hc1 1.go 1.1e4 1.38m 1.6jk
    1.3gx 1.eg1 1.36y 1.1y4 1.py 1.xw 1.7qk 1.a6 1.4f6 1.9k 1.730 1.1vo 1.4k 1.bk 1.snt 1.gna
    1.9ho 1.1zc 1.l9p 1.791 1.x4 1.4dk 1.4i 1.3p0 1.1qq 1.32w 1.1rc 1.5tg 1.4jk 1.5ya 1.mix 1.ito
    1.qq1 1.89w 1.6o 1.23g 1.ja 1.256 1.io 1.17o 1.1u2 1.asc 1.s0x 1.6ma 1.kno 1.rrt 1.53w 1.6n6
    1.d4w 1.it9 1.oi 1.2p2 1.4io 1.dtq 1.r09 1.r0 1.3ak 1.3to 1.hi 1.j8 1.1oa 1.2te 1.qg 1.3se
    1.3os 1.10 1.3iu 1.20c 1.qpx 1.auu 1.aih 1.bqe 1.13k 1.6v8 1.6ky 1.294 1.wg 1.lqn 1.2g8 1.7y2
    1.2t5 1.4q 1.kk 1.3vn 1.ul 1.ake 1.nxr 1.kq4 1.jcn 1.2t 1.4zi 1.1ne 1.a9y 1.d5t 1.6ya 1.2j7
    1.g0e 1.2ql 1.5j6 1.51f 1.gvj 1.5d1 1.1s0 3.110 2.5kk 3.84r 1.d5k 1.1fk 1.ys 1.1w 1.e 1.2c
    1.bri 1.ai7 1.16m 2.2i2 2.1xo 3.22o 1.ay 4.350 1.q 1.2g 1.1so 1.52j 1.2b6 1.s29 1.he 1.5o 1.l4
    1.1i 1.62 1.wo 1.5u 1.5g 1.q8 1.5s 1.1h4 1.k 1.1n0 1.bs 1.24 1.5k 1.1bu 1.86 1.9q 1.rs 1.1yc
    1.92 1.eo 1.wo 1.ai 1.ry 1.1r2 1.9m 1.m 1.1 1.g 1.c 1.e 1*2.2o 1.9y 1.3m 1.hq 1.vc 1.16 1.34
    1.gy 1.86 1.r4 1.7s 1.0 1.qk 1.1v6 1.7g 1.k6 1.34 1.ms 1.2y 1.124 1.78 1.2mu 1.fs 1.3c 1.m17
    1.5alu 1.4xbf 3.kir 1.1em 1.49 1.r3 1.p6 1.3a 1.i6 1.2u 1.11i 1.3z 1.3s 1.42 1.z4 1.4y 1.82
    1.w 1.f0 1.b0 1.1g4 1.e 1.80 1.3s 1.gm 1.6k 1.3v 1.7g 1.2j 1.84 1.3o 1.m8 1.4w 1.30 1.eg 1.fw
    1.92 1.8 1.3a 1.1mu 1.3m 1.lq 1.ms 1.v 1.4u 1.e0 1.io 1.2gi 1.25f 1.6s 1.6u 1.i6 1.8a 1.2y
    1.ck 1.4 1.9i 1.y 1.1e 1.4s 1.j 1.m0 1.qy 1.f2 1.ae 1.cg 1.8i 1.ic 1.b2 1.1ay 1.8q 1.1ec 1.pc
    1.3u 1.w 1.gi 1.36 1.2h 1.30 1.5 1.x 1.48 1.4i 1.l8 1.v4 1.hg 1.ge 1.ca 1.1l8 1.5q 1.6e 1.7e
    1.20 1.o 1.2o 1.14e 1.1sk 1.4b4s 1.b 1.4ki 1.5j73 1.1rq 1.1u 1.5teo 1.45q 1.dfq 1.59gf 1.46
    1w.1oq1.21 2.3g.39 b.2s.27 1.28.25 1.2ozy.2ozz 1.2p00.2ozx 1.s.1d 1.1e.1b 1.1c.13 1.16.15
    1.18.17 1.1a.19 1.1c.1b 1.1e.1d 1.1g.1f 2.1k.1j 1.1m.1l 1.1o.1n 1.1q.1p 1.1s.1r 2.1w.1v
    2.20.1z 1.22.21 2.26.25 1.28.27 2.2c.2b 1.2e.2d 1.2g.2f 1.2i.2h 1.2k.2j 1.1e.1j 1.1c.z 1.1k.1j
    1.22.21 47g.2xf8.1u 2.1p.1q f.15.16 3n.6m.j 1.m.l f0.u8.h 1.i.w a7.jo.2 1.1.h 2.i.8 70.dy.h
    1.k.j ot.1e4.9 10di.20r2.s 1.p.q 1.b.u 1.t.w 1.v.y 1.x.10 1.z.12 2f.3y.4n 1.4q.4p 1.4s.49
    1.4c.4b 1.4a.47 1.4a.49 1m4g.48yr 1.9 1.i 1.4rsy 1.4rcz 1.4c 1.q 1.3y 1.6o 1.1q 1.4c 1.1b
    1.b4x 1.53y0 1.4sm1 1.e 1.w 1.12 1.4s3u 1.53gl 1.bbw 1.24 1.4s58 1.4s4n 1.q 1.14f 1.14w 1.i
    1.6bmc 1.6bir 1.s 1.bif 1.blk 1.m 1.2g 1.a 1.blv 1.bqc 1.4 1.1i 1.18 1*2.m 1.10 1.2s 1.g 1.i
    1.1e 1.k 1.4 1.0 1.0 1.4tay 1.4hvb 1.bbf 1.16 1.4tmw 1.4tm7 1.c 1.16 1.8g 1.5n 1.w 1.1s 1.38
    1.4o 1.1g 1.3q 1.w 1.1u 1.0 1.16 1.10 1.g 1.u 1.iw 1.f3 1.f6 1.az 1.1y 1.1qx 1.2q6 1.fz 1.24
    1.1e 1.77 1.9a 1.1 1.6u 1.4vhs 1.4vdv 1.a 1.u 1.14 1.g 1.3k 1.4vws 1.3o 1.4vsr 1.2m 1.o 1.4d
    1.7w 1.e0f 1.s 1.e8o 1.30 1.0 1.4wes 1.4w7d 1.16 1.u 1.o 1.4wne 1.4wmp 1.e 1.1ay 1.19d 1.egx
    1.eke 1.s 1.4k 1.2t 1.4xim 1.4x8h 1.4x8m 1.4x67 1.5 1.y 1*2.5m 1.ew3 1.exo 1.2e 1.16 1.2g
    1.f0t 1.5d8i 1.5d71 1.f3c 1.6 1.6 1.14 1.6dg0 1.6dd3 1.4yna 1.0 1.4ktb 1.drx 1.0 1.f5h 1.5jvm
    1.imc 1.5n8v 1.i 1.f7z 1.fam 1.2u 1.k 1.1w 1.7k 1.fil 1.1n 1.flc 1.4zgg 1.4zdl 1.76 1.8 1.4
    1.3 1.2k 1.14 1.20 1.r 1.m 1.2m 1.14 1.8 1.1g 1.m 1.3o 1.4o 1.1y 1.6w 1.501k 1.502l 1.3l 1.60
    1.1i 1.5e 1.5062 1.502l 1.55 1.1j 1.gdx 1.gom 1.16 1.1q 1.23 1.glx 1.gxy 1.1m 1.516k 1.50zx
    1.fe 1.9p 1.h27 1.h68 1.h75 1.1z 1.8yk 1.6 1.8gm 1.5j 1.aaq 1.o13 1.dx8 1.8 1.c 1.3e 1.l
    1.51wg 1.5jar 1.hnm 1.6h 1.be 1.2u 1.51ow 1.51od 1.65 1.dm 1.hyl 1.i16 1.5e 1.3y 1.ak 1.51py
    1.51n3 1.ih1 1.iky 1.52bw 1.5291 1.ikr 1.img 1.2i 1*2.1i 1.52ue 1.bnn 1.btq 1.52s7 1.53h8
    1.53ax 1.s 1.5n 1.9q 1.28 1.36 1.2z 1.28 1.u 1.q 1.535e 1.539v 1.dy 1.3i 1.jg5 1.jlc 1.7
    1.53bo 1.53n3 1.kq 1.53a8 1.2o 1.537z 1.6e 1.1h 1.5 1.jyh 1.k14 1.2u 1.b 1.30 1.4fsg 1.4fjz
    1.53r0 1.53m5 1.544e 1.53wl 1.q 1.1i 1.54s0 1.54pb 1.16 1.554w 1.ce 1.554j 1.y 1.kvx 1.kxe
    1.kwp 1.0 1.l5q 1.16 1.16 1.14 1.3u 1.l7h 1.lci 1.563o 1.5627 1.567c 1.564j 1.4p5q 1.4owt
    1.5736 1.1a 1.7s 1.5spb 1.o 1.lp4 1.579a 1.1 1.26 1.1g 1*2.57ah 1.2 1.2e 1.lr5 1.lus 1.lu1
    1.4g 1.5tzi 1.57z1 1.3g 1.3k 1.m35 1.5uo6 1.58db 1.58js 1.2e 1.58iz 1.54 1.mev 1.mjm 1.k 1.a
    1.59ay 1.gm 1.0 1.59ip 1.mhj 1.5weq 1.59l5 1.6 1.mrn 1.5woi 1.59i3 1.mzn 1.n0w 1.9 1.1m 1.5amk
    1.5ah1 1.n2b 1.n7w 1.3a 1.3q 1.nc1 1.5yi0 1.1q 1.5yhn 1.5yps 1.5ayl 1.5b48 1.5b2p 1.5m 1.m
    1.5bje 1.42 1.5bid 1.5bps 1.5bov 1.4rtq 1.5frn 1.o1m 1.4i 1.o33 1.o6e 1.f81 1.5rdw 1.s 1.klf
    1.i 1.4rat 1.6 1.5dg 1.tph 1.ojw 1.b 1.10 1.ixf 1.iyk 1.4 1.k 1.2a 1.5cx8 1.5cx9 1.34 1.3w
    1.44 1.7n 1.8k 1.2c 1.68 1.ef 1.6m 1.4 1.w 1.5cxg 1.h6 1.8b 1.61xv 1.p70 1.4 1.1y 1.5ffs
    1.5fbf 1.5dhs 1.62sd 1.8 1.62zk 1.g2 1.63f1 1.pmy 1.o 1.m 1.4 1.3k 1.1t 1.7g 1.2f 1.8e 1.4h
    1.3q 1.1i 1.py5 1.q38 1.1s 1.q33 1.q8e 1.6 1.5f60 1.5ezj 1.e 1.qc1 1.qdm 1.xa5 1.6d46 1.a8
    1.66a7 1.i 1.qsy 1.4a 1.8q 1.ba 1.5g2u 1.5fy1 1.18 1.50 1.54 1.5gmo 1.1b2t 1.45f5 1.t 1.2w
    1.45p8 1.45cj 1.5k 1.5ik4 1.1i 1.5i29 1.56 1.1s 1.5id6 1.5icl 1.fu 1*2.8u 1.51 1.l6 1.1k
    1.5j2i 1.5ihp 1.u0b 1.u2s 1.5j0g 1.6cyp 1.ud6 1.mjl 1.moy 1.5jyc 1.bu 1.6el3 1.g 1.ul0 1.5kr8
    1.6f8v 1.6fgo 1.5kwl 1.0 1.1o 1.5lay 1.5l0n 1.uot 1.uss 1.70 1.1i 1.3c 1.uvz 1.6hms 1.5mbf
    1.gs 1.ai 1.vod 1.1q 1.vsk 1.5nm6 1.6je3 1.6jh6 1.eq 1.7a 1.5nsb 1.w5l 1.w92 1.a 1.e 1.k 1.e
    1.22 1.5oy2
    """
}
