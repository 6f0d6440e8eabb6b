package nftables
import ("testing";"os";"slices";"github.com/planec/planec/backends")
func TestZZ(t *testing.T){
 a:=stickyProgram(10800, fiveEndpoints...)
 b:=stickyProgram(10800, "10.1.5.2:9090")
 os.WriteFile("/tmp/nx/z0.nft",[]byte(emit(t,a,backends.DefaultOptions())),0o644)
 x,_:=transition(t,a,b,backends.DefaultOptions()); os.WriteFile("/tmp/nx/z1.nft",[]byte(x),0o644)
 x,_=transition(t,b,a,backends.DefaultOptions()); os.WriteFile("/tmp/nx/z2.nft",[]byte(x),0o644)
 _=slices.Max([]int{1})
}
