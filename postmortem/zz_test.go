package postmortem
import ("testing";"os";"fmt")
func TestZZ(t *testing.T){
 b,_:=os.ReadFile(os.Getenv("ZZ"))
 d:=parse("x.txt",b)
 all,_:=lexicons()
 o:=entriesOf(d,detect(d.blocks,all))
 for i:=range o.doc.blocks{ bb:=&o.doc.blocks[i]; l,at:=o.statusLabel(bb); _,so:=o.stampOnly(i); fmt.Println(i,bb.kind,bb.level,o.taken[i],l,at,so,o.sections[i].name,bb.text[:min(60,len(bb.text))])}
}
