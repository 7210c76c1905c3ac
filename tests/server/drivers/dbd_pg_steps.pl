#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# DBD::Pg (libpq, prepares on the server from the second run on): README.md.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg ':async';
use JSON::PP;

my $where = decode_json($ENV{PGDECK_DRIVER});
my $tls = $where->{sslrootcert} ? ";sslmode=verify-full;sslrootcert=$where->{sslrootcert}" : '';
my $dbh = DBI->connect("dbi:Pg:dbname=$where->{dbname};host=$where->{host};port=$where->{port}$tls",
    $where->{user}, $where->{password}, {RaiseError => 1, PrintError => 0, AutoCommit => 1});
my @notices;
$SIG{__WARN__} = sub { push @notices, $_[0] };

sub rows { my ($text, @values) = @_; return $dbh->selectall_arrayref($text, undef, @values) }
sub code_of { my ($step) = @_; return eval { $step->(); 1 } ? undef : $dbh->state }

my %steps = (
    who => sub { rows('SELECT current_user, current_database()') },
    types => sub {
        rows('SELECT ?::int4, ?::int8, ?::numeric, ?::text, ?::bool, ?::timestamptz::text, ?::jsonb, '
           . '?::int4[], ?::text', 1, '9007199254740993', '1.50', 'größer', 1,
            '2026-02-28 12:00:00+00', '{"a": [1]}', [1, undef, 3], undef);
    },
    transactions => sub {
        my @seen;
        $dbh->begin_work;
        $dbh->do(q{INSERT INTO items VALUES (1, 'one')});
        $dbh->pg_savepoint('s');
        push @seen, code_of(sub { $dbh->do(q{INSERT INTO items VALUES (1, 'again')}) });
        push @seen, code_of(sub { $dbh->do('SELECT 1') });
        $dbh->pg_rollback_to('s');
        push @seen, rows('SELECT count(*) FROM items');
        $dbh->rollback;
        return [@seen, rows('SELECT count(*) FROM items')];
    },
    prepared => sub {
        my $one = $dbh->prepare('SELECT ?::int + 1');
        my $two = $dbh->prepare(q{SELECT ?::text || '!'});
        my $total = 0;
        for my $i (0 .. 49) {
            $total += $dbh->selectrow_array($one, undef, $i);
            $total += length $dbh->selectrow_array($two, undef, 'a' x $i);
        }
        return $total;
    },
    copies => sub {
        my ($in, $out) = ('', '');
        $dbh->begin_work;
        $dbh->do('COPY items FROM STDIN');
        for my $i (0 .. 19999) { my $line = "$i\tline $i\n"; $in .= $line; $dbh->pg_putcopydata($line) }
        $dbh->pg_putcopyend;
        $dbh->do('COPY (SELECT * FROM items ORDER BY id) TO STDOUT');
        my $line;
        $out .= $line while $dbh->pg_getcopydata(\$line) >= 0;
        $dbh->rollback;
        return $in eq $out ? 1 : 0;
    },
    cancelled => sub {
        my $sleep = $dbh->prepare('SELECT pg_sleep(20)', {pg_async => PG_ASYNC});
        $sleep->execute;
        select undef, undef, undef, 0.2;
        my $ended = $sleep->pg_cancel ? 1 : 0;
        return [$ended, rows('SELECT 1')];
    },
    large_objects => sub {
        $dbh->begin_work;
        my $id = $dbh->pg_lo_creat($dbh->{pg_INV_WRITE} | $dbh->{pg_INV_READ});
        my $file = $dbh->pg_lo_open($id, $dbh->{pg_INV_WRITE} | $dbh->{pg_INV_READ});
        my $written = $dbh->pg_lo_write($file, "\0\1" x 50000, 100000);
        $dbh->pg_lo_lseek($file, 0, 0);
        my $read = $dbh->pg_lo_read($file, my $buffer, 200000);
        $dbh->rollback;
        return [$written, $read];
    },
    notified => sub {
        $dbh->do(q{DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$});
        $dbh->do('LISTEN channel');
        $dbh->do(q{NOTIFY channel, 'payload'});
        my $got;
        for (1 .. 50) { $got = $dbh->pg_notifies and last; select undef, undef, undef, 0.1 }
        return [@notices, $got->[2]];
    },
    settings => sub {
        $dbh->do(q{SET timezone = 'Asia/Tokyo'});
        $dbh->do('SET search_path = pg_catalog, public');
        return [rows('SHOW timezone'), rows('SHOW search_path')];
    },
);

my %found;
$found{$_} = $steps{$_}->()
    for qw(who types transactions prepared copies cancelled large_objects notified settings);
$dbh->disconnect;
print JSON::PP->new->pretty->canonical->ascii->encode(\%found);
