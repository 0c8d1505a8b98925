#!/usr/bin/perl
# Kills, and asks whoever answers next: for each pid that it reads it prints how long that took in milliseconds, how
# many connections were refused and how many were reset. Perl, because a client of Node keeps a processor for 1 ms
# after the signal, which the dying process waits for, and 0.5 ms before it has read the answer.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($port) = @ARGV;
my $service = pack_sockaddr_in($port, inet_aton('127.0.0.1'));
$| = 1;
while (my $victim = <STDIN>) {
    chomp $victim;
    $victim =~ /^[1-9]\d*$/ or die "expected a pid, not '$victim'\n";
    # Nobody answers: this process ends.
    alarm 10;
    my ($refused, $reset, $answer) = (0, 0, undef);
    my $started = clock_gettime(CLOCK_MONOTONIC);
    kill 'KILL', $victim or die "pid $victim: $!\n";
    until (defined $answer) {
        socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
        if (!connect $socket, $service) { $refused++; next; }
        syswrite $socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        # The kernel gave it to the worker that was about to die.
        if (!sysread $socket, $answer, 65_536) { $reset++; undef $answer; next; }
        undef $answer if $answer =~ /"pid":$victim\b/;
    }
    alarm 0;
    printf "%.3f %d %d\n", 1_000 * (clock_gettime(CLOCK_MONOTONIC) - $started), $refused, $reset;
}
