#!/usr/bin/perl
# A worker that talks: whenever the file in TALK is there, ROUNDS times a status and a ping, each after the pong before.
# Every round is three events of the supervisor. It removes the file when it begins, and says when it has ended.
use strict;
use warnings;
use IO::Handle;

open(my $channel, '+<&=', $ENV{TANIST_CHANNEL_FD}) or die "no channel: $!\n";
$channel->autoflush(1);
$| = 1;
sub ask { print {$channel} "$_[0]\n"; my $answer = <$channel>; exit 0 unless defined $answer; }
ask('takeover');
while (getppid() == $ENV{TANIST_SUPERVISOR_PID}) {
    if (!-e $ENV{TALK}) { select undef, undef, undef, 0.02; next; }
    unlink $ENV{TALK};
    ask("status round $_\nping") for 1 .. $ENV{ROUNDS};
    print "talked\n";
}
