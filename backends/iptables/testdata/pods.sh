# Pods in namespaces of their own, with addresses that they have to find out
# (ARP, neighbour discovery), beside the node's. Each line of the output says
# whether a datagram to a closed port was answered by an ICMP error.
set -e
pods=
trap 'kill $pods' EXIT
node=$(readlink /proc/self/ns/net)

pod() { # name number
	unshare -n sleep 60 >/dev/null 2>&1 &
	pods="$pods $!"
	eval "$1=$!"
	until ns=$(readlink /proc/$!/ns/net) && [ "$ns" != "$node" ]; do sleep 0.01; done
	ip link add "p$2" type veth peer name eth0 netns $!
	ip addr add "10.1.$2.254/24" dev "p$2"
	ip addr add "fd00:$2::254/64" dev "p$2" nodad
	ip addr add "fe80::254/64" dev "p$2" nodad
	ip link set "p$2" up
	nsenter -t $! -n sh -c "ip addr add 10.1.$2.1/24 dev eth0; ip addr add fd00:$2::1/64 dev eth0 nodad
		ip link set lo up; ip link set eth0 up
		ip route add default via 10.1.$2.254; ip route add default via fd00:$2::254"
}

ask() { # name from to port
	enter=
	[ "$2" = node ] || enter="nsenter -t $2 -n"
	result=silent
	for try in 1 2 3; do
		$enter bash -c 'exec 3<>/dev/udp/$0/$1; echo >&3; sleep 0.4; echo >&3' "$3" "$4" 2>/dev/null || result=refused
	done
	echo "$1: $result"
}

pod some 1
pod none 2
pod open 3
sleep 0.5
for f in 10.1. fd00:; do
	end=.1 gate=.254
	[ $f = 10.1. ] || end=::1 gate=::254
	ask "related $f" $some ${f}3$end 999
	ask "denied $f" $some ${f}3$end 998
	ask "ingress $f" $open ${f}2$end 999
	ask "own node $f" $some ${f}1$gate 999
	ask "own node denied $f" $none ${f}2$gate 999
	ask "from node $f" node ${f}2$end 999
done
