// The cases of cases.test.tsx: what the text is, the text, and the elements that are drawn.
type Case = readonly [situation: string, text: string, drawn: string];

export const CASES: Record<string, readonly Case[]> = {
  "emphasis beside scripts without spaces": [
    ["a Chinese colon inside the mark", "**重要：**请注意", "<p><strong>重要：</strong>请注意</p>"],
    [
      "Japanese brackets inside the mark",
      "これは**重要（じゅうよう）**です",
      "<p>これは<strong>重要（じゅうよう）</strong>です</p>",
    ],
    ["italics before a Chinese full stop", "这是*斜体。*然后", "<p>这是<em>斜体。</em>然后</p>"],
    [
      "a Korean particle after the mark",
      "**마크다운(Markdown)**은 좋다",
      "<p><strong>마크다운(Markdown)</strong>은 좋다</p>",
    ],
    [
      "Korean quotation marks",
      "그는 **“안녕”**이라고 했다",
      "<p>그는 <strong>“안녕”</strong>이라고 했다</p>",
    ],
    [
      "Chinese quotation marks",
      "他说**“你好”**然后走了",
      "<p>他说<strong>“你好”</strong>然后走了</p>",
    ],
    [
      "Japanese corner brackets",
      "これは**「重要」**です",
      "<p>これは<strong>「重要」</strong>です</p>",
    ],
    [
      "a link in bold",
      "请看**[文档](https://example.com/)**。",
      '<p>请看<strong><a href="https://example.com/">文档</a> (example.com)</strong>。</p>',
    ],
    ["code in bold", "使用**`npm i`**安装", "<p>使用<strong><code>npm i</code></strong>安装</p>"],
    [
      "full-width parentheses in bold and italics",
      "这是***（重点）***内容",
      "<p>这是<em><strong>（重点）</strong></em>内容</p>",
    ],
    ["a percent sign", "增长**50%**左右", "<p>增长<strong>50%</strong>左右</p>"],
    ["Thai", "นี่คือ**สำคัญ!**ครับ", "<p>นี่คือ<strong>สำคัญ!</strong>ครับ</p>"],
    ["Western words keep their rules", 'a**"b"**c and 2 * 3 * 4', '<p>a**"b"**c and 2 * 3 * 4</p>'],
    ["struck-out Chinese", "这是~~错误。~~正确", "<p>这是<del>错误。</del>正确</p>"],
    ["underscores inside a name", "变量_a_b和snake_case_name", "<p>变量_a_b和snake_case_name</p>"],
    ["stars alone stay", "价格*优惠", "<p>价格*优惠</p>"],
    ["an emoji with a variation selector", "**警告⚠️**注意", "<p><strong>警告⚠️</strong>注意</p>"],
  ],
  "addresses in sentences": [
    [
      "a Chinese full stop",
      "请看https://example.com/a。然后继续",
      '<p>请看<a href="https://example.com/a">https://example.com/a</a>。然后继续</p>',
    ],
    [
      "full-width parentheses",
      "（https://example.com/a）后面",
      '<p>（<a href="https://example.com/a">https://example.com/a</a>）后面</p>',
    ],
    [
      "Japanese without a stop",
      "詳細はhttps://example.com/docs/をご覧ください",
      '<p>詳細は<a href="https://example.com/docs/">https://example.com/docs/</a>をご覧ください</p>',
    ],
    [
      "a Japanese title with a particle",
      "https://ja.wikipedia.org/wiki/本を読む です",
      '<p><a href="https://ja.wikipedia.org/wiki/%E6%9C%AC%E3%82%92%E8%AA%AD%E3%82%80">https://ja.wikipedia.org/wiki/本を読む</a> です</p>',
    ],
    [
      "Korean particles",
      "https://example.com/a에서 확인",
      '<p><a href="https://example.com/a">https://example.com/a</a>에서 확인</p>',
    ],
    [
      "a Chinese comma after www",
      "访问www.example.com，谢谢",
      '<p>访问<a href="http://www.example.com/">www.example.com</a>，谢谢</p>',
    ],
    [
      "a title in Chinese",
      "https://zh.wikipedia.org/wiki/数学 是",
      '<p><a href="https://zh.wikipedia.org/wiki/%E6%95%B0%E5%AD%A6">https://zh.wikipedia.org/wiki/数学</a> 是</p>',
    ],
    [
      "a host in Japanese",
      "http://例え.jp/ ok",
      '<p><a href="http://xn--r8jz45g.jp/">http://例え.jp/</a> (xn--r8jz45g.jp) ok</p>',
    ],
    [
      "parentheses inside",
      "(see https://en.wikipedia.org/wiki/Set_(mathematics))",
      '<p>(see <a href="https://en.wikipedia.org/wiki/Set_(mathematics)">https://en.wikipedia.org/wiki/Set_(mathematics)</a>)</p>',
    ],
    [
      "bold around it",
      "**https://example.com/a**",
      '<p><strong><a href="https://example.com/a">https://example.com/a</a></strong></p>',
    ],
    [
      "an underscore at the end",
      "_https://example.com/a_",
      '<p><em><a href="https://example.com/a">https://example.com/a</a></em></p>',
    ],
    [
      "an e-mail address",
      "mail a.b@example.com。谢谢",
      '<p>mail <a href="mailto:a.b@example.com">a.b@example.com</a>。谢谢</p>',
    ],
    [
      "an e-mail in parentheses",
      "（a@example.com）",
      '<p>（<a href="mailto:a@example.com">a@example.com</a>）</p>',
    ],
    [
      "quotation marks",
      "“https://example.com/a” and «https://example.com/b»",
      '<p>“<a href="https://example.com/a">https://example.com/a</a>” and «<a href="https://example.com/b">https://example.com/b</a>»</p>',
    ],
    [
      "an entity at the end",
      "https://example.com/?a=1&amp;b=2&gt;",
      '<p><a href="https://example.com/?a=1&amp;b=2">https://example.com/?a=1&amp;b=2</a>&gt;</p>',
    ],
    [
      "Chinese query",
      "https://example.com/?q=数学&n=1",
      '<p><a href="https://example.com/?q=%E6%95%B0%E5%AD%A6&amp;n=1">https://example.com/?q=数学&amp;n=1</a></p>',
    ],
    [
      "Chinese after a port",
      "http://localhost:8000端口",
      '<p><a href="http://localhost:8000/">http://localhost:8000</a>端口</p>',
    ],
    [
      "angle brackets",
      "<https://example.com/a>。",
      '<p><a href="https://example.com/a">https://example.com/a</a>。</p>',
    ],
    [
      "an ellipsis",
      "https://example.com/a…然后",
      '<p><a href="https://example.com/a">https://example.com/a</a>…然后</p>',
    ],
    [
      "Cyrillic host",
      "https://пример.рф/путь. Дальше",
      '<p><a href="https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C">https://пример.рф/путь</a> (xn--e1afmkfd.xn--p1ai). Дальше</p>',
    ],
    [
      "Arabic comma",
      "https://example.com/a، ثم",
      '<p><a href="https://example.com/a">https://example.com/a</a>، ثم</p>',
    ],
  ],
  "tildes and dollars": [
    ["a range", "价格100~200元，或300~400元", "<p>价格100~200元，或300~400元</p>"],
    ["approximately", "~5 minutes and ~/bin:~/lib", "<p>~5 minutes and ~/bin:~/lib</p>"],
    ["struck out", "~~old~~ new", "<p><del>old</del> new</p>"],
    ["home and user", "echo $HOME/$USER now", "<p>echo $HOME/$USER now</p>"],
    ["a search path", "set $PATH:$HOME/bin", "<p>set $PATH:$HOME/bin</p>"],
    ["prices", "from $5 to $10, or US$3 and 5$", "<p>from $5 to $10, or US$3 and 5$</p>"],
    ["commands", "cp $(pwd)/a $(date)", "<p>cp $(pwd)/a $(date)</p>"],
    [
      "formulas",
      "$x^2$ and \\(y\\) and $n$th",
      "<p><code>$x^2$</code> and <code>\\(y\\)</code> and <code>$n$</code>th</p>",
    ],
    [
      "Chinese beside a formula",
      "其中$x$是变量，$y$也是",
      "<p>其中<code>$x$</code>是变量，<code>$y$</code>也是</p>",
    ],
    ["prices in Chinese", "价格$5和$10", "<p>价格$5和$10</p>"],
    ["jQuery", "$('#a').on() and $.ajax()", "<p>$('#a').on() and $.ajax()</p>"],
    ["underscored variables", "$MY_VAR and $OTHER_VAR", "<p>$MY_VAR and $OTHER_VAR</p>"],
    [
      "table cells with prices",
      "| a | b |\n|---|---|\n| $5 | $10 |",
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>$5</td><td>$10</td></tr></tbody></table>",
    ],
    [
      "formula with letters",
      "$a$ $b$, $E = mc^2$.",
      "<p><code>$a$</code> <code>$b$</code>, <code>$E = mc^2$</code>.</p>",
    ],
    ["block", "$$\nx\n$$", "<p><code>$$\nx\n$$</code></p>"],
  ],
  entities: [
    ["case is kept", "10 k&Omega; &omega; &Delta;t, &Sigma; x", "<p>10 kΩ ω Δt, Σ x</p>"],
    ["numbers", "&#937; &#x3a9; &#0; &#x110000;", "<p>Ω Ω � �</p>"],
    ["no-break space", "a&nbsp;b", "<p>a&nbsp;b</p>"],
    ["no semicolon", "R&D &copy 2026 AT&T &amp", "<p>R&amp;D &amp;copy 2026 AT&amp;T &amp;amp</p>"],
    [
      "inside code",
      "`&Omega;` and\n\n    &Delta;",
      "<p><code>&amp;Omega;</code> and</p>text<button>Copy</button><pre><code>&amp;Delta;</code></pre>",
    ],
    ["unknown", "&unknown; &constructor;", "<p>&amp;unknown; &amp;constructor;</p>"],
    ["two characters", "&NotEqualTilde;", "<p>≂̸</p>"],
    [
      "in a link",
      "[k&Omega;](https://example.com/?a&amp;b)",
      '<p><a href="https://example.com/?a&amp;b">kΩ</a> (example.com)</p>',
    ],
    ["marks from entities", "&ast;a&ast; &lt;b&gt;", "<p>*a* &lt;b&gt;</p>"],
  ],
  "notes and links": [
    [
      "a note",
      "Text[^1] more.\n\n[^1]: The note.",
      "<p>Text<sup><a>1</a></sup> more.</p><section><ol><li><p>The note.</p><a>↩</a></li></ol></section>",
    ],
    [
      "a named note, twice",
      "A[^who] B[^who]\n\n[^who]: Somebody.",
      "<p>A<sup><a>1</a></sup> B<sup><a>1</a></sup></p><section><ol><li><p>Somebody.</p><a>↩</a><a>↩</a></li></ol></section>",
    ],
    [
      "paragraphs in a note",
      "A[^1]\n\n[^1]: One.\n\n    Two **bold**.\n\nAfter.",
      "<p>A<sup><a>1</a></sup></p><p>After.</p><section><ol><li><p>One.</p><p>Two <strong>bold</strong>.</p><a>↩</a></li></ol></section>",
    ],
    ["a note that never comes", "Text[^1] more.", "<p>Text[^1] more.</p>"],
    [
      "a character class",
      "Use `[^a-z]` or [^a-z] or x[^2](y)",
      "<p>Use <code>[^a-z]</code> or [^a-z] or x^2</p>",
    ],
    [
      "a Chinese note",
      "文本[^注]。\n\n[^注]: 说明",
      "<p>文本<sup><a>1</a></sup>。</p><section><ol><li><p>说明</p><a>↩</a></li></ol></section>",
    ],
    [
      "a full reference",
      'See [docs][d].\n\n[d]: https://example.com/x "T"',
      '<p>See <a href="https://example.com/x">docs</a> (example.com).</p>',
    ],
    [
      "collapsed and short",
      "[D][] and [d]\n\n[d]: https://example.com/x",
      '<p><a href="https://example.com/x">D</a> (example.com) and <a href="https://example.com/x">d</a> (example.com)</p>',
    ],
    [
      "the first definition counts",
      "[d]\n\n[d]: https://a.example/\n[d]: https://b.example/",
      '<p><a href="https://a.example/">d</a> (a.example)</p>',
    ],
    [
      "a definition before",
      "[d]: https://a.example/\n\n[d]",
      '<p><a href="https://a.example/">d</a> (a.example)</p>',
    ],
    ["no definition", "[docs][d] and [x]", "<p>[docs][d] and [x]</p>"],
    [
      "unsafe definition",
      "[a][d]\n\n[d]: javascript:alert(1)",
      "<p>[a][d]</p><p>[d]: javascript:alert(1)</p>",
    ],
    ["task brackets", "- [ ] a\n- [x] b", "<ul><li>☐ a</li><li>☑ b</li></ul>"],
    [
      "an image by reference",
      "![cat][c]\n\n[c]: https://example.com/c.png",
      '<p><a href="https://example.com/c.png">[image: cat]</a> (example.com)</p>',
    ],
    [
      "angle brackets in a definition",
      "[d]\n\n[d]: <https://example.com/a b>",
      '<p><a href="https://example.com/a%20b">d</a> (example.com)</p>',
    ],
  ],
  "line breaks": [
    [
      "in a cell",
      "| a |\n|---|\n| x<br>y<br/>z<br />w |",
      "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>x<br>y<br>z<br>w</td></tr></tbody></table>",
    ],
    ["in a paragraph", "a<BR>b", "<p>a<br>b</p>"],
    [
      "with attributes",
      "a<br class=x>b<b>c</b><br onclick=1>",
      "<p>a&lt;br class=x&gt;b&lt;b&gt;c&lt;/b&gt;&lt;br onclick=1&gt;</p>",
    ],
    ["alone on a line", "a\n\n<br>\n\nb", "<p>a</p><p><br></p><p>b</p>"],
    ["in code", "`a<br>b`", "<p><code>a&lt;br&gt;b</code></p>"],
    ["in a heading and a list", "# a<br>b\n\n- c<br>d", "<h3>a<br>b</h3><ul><li>c<br>d</li></ul>"],
  ],
};
