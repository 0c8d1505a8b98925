#!/usr/bin/env perl
# A worker in Perl, with nothing but what comes with it:
#
#   tanist run --listen 3000 -- perl worker.pl
#
# It answers one request at a time with its pid, generation and slot.
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use Socket;

use constant PING_EVERY_SECONDS => 10;

die "Start me with: tanist run --listen 3000 -- perl worker.pl\n"
    unless defined $ENV{TANIST_CHANNEL_FD} && ($ENV{LISTEN_PID} // '') eq $$;

# A signal may come between looking at a variable and waiting: written into a pipe, it is never missed.
pipe my $wakeup, my $signalled or die "pipe: $!";
$signalled->autoflush(1);
$SIG{$_} = sub { print {$signalled} '.' } for qw(TERM INT QUIT);
$SIG{$_} = 'IGNORE' for qw(USR2 PIPE);

open my $channel, '+<&=', $ENV{TANIST_CHANNEL_FD} or die "channel: $!";
open my $listener, '+<&=', 3 or die "listener: $!";
# When several workers wait for a connection all are woken, and one gets it: the others must not hang.
$listener->blocking(0);

my $who = sprintf '{"pid":%d,"generation":%d,"slot":%d}', $$, $ENV{TANIST_GENERATION}, $ENV{TANIST_SLOT};

# ... here a real program would initialise ...

tell_supervisor('takeover');
my $waiting = IO::Select->new($channel, $wakeup);
my $heard = '';
my $pinged_at = time;
while (1) {
    my @ready = $waiting->can_read(PING_EVERY_SECONDS);
    # For tanist run --watchdog: also a busy worker says that it is well.
    if (time - $pinged_at >= PING_EVERY_SECONDS) {
        tell_supervisor('ping');
        $pinged_at = time;
    }
    for my $handle (@ready) {
        # Nothing is in hand between two requests, and what waits in the queue is for the others.
        exit 0 if $handle == $wakeup;
        if ($handle == $listener) { answer() }
        else {
            # End of file: the supervisor is gone.
            sysread $channel, $heard, 4096, length $heard or exit 0;
            while ($heard =~ s/^(.*)\n//) { $waiting->add($listener) if $1 eq 'ok' }
        }
    }
}

sub tell_supervisor {
    my ($word) = @_;
    syswrite $channel, "$word\n";
}

sub answer {
    accept my $client, $listener or return;
    # Nobody may hold up the others for ever.
    setsockopt $client, SOL_SOCKET, $_, pack 'l!l!', 5, 0 for SO_RCVTIMEO, SO_SNDTIMEO;
    my $request = '';
    while ($request !~ /\r\n\r\n/ && length $request < 65_536) {
        my $received = sysread $client, $request, 4096, length $request;
        # Asked to leave just now: what is in hand is finished first.
        next if !defined $received && $!{EINTR};
        return unless $received;
    }
    syswrite $client, join "\r\n", 'HTTP/1.1 200 OK', 'Content-Type: application/json',
        'Content-Length: ' . length $who, 'Connection: close', '', $who;
}
