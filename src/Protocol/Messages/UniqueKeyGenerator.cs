using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Makes UNIQ_KEY values, which name a message from before it is sent (RocketMQ: MessageClientIDSetter).
/// <code>
/// +------------+-----------+----------+------------------------+-----------+
/// | address 4  | process 2 | random 4 | ms since month began 4 | counter 2 |   in upper-case hex
/// +------------+-----------+----------+------------------------+-----------+
/// </code>
/// An IPv6 address takes 16 bytes. The month is that of a time zone: RocketMQ's tools read the time in their own. Safe for use
/// by many threads.
/// </summary>
public sealed class UniqueKeyGenerator
{
    private const int ProcessBytes = 2;
    private const int RandomBytes = 4;
    private const int TimeBytes = 4;
    private const int CounterBytes = 2;

    private readonly byte[] _fixed;
    private readonly TimeZoneInfo _zone;
    private long _monthStartMs = long.MaxValue;
    private long _nextMonthMs;
    private int _counter;

    /// <param name="zone">Whose months count; null takes UTC.</param>
    public UniqueKeyGenerator(IPAddress address, int processId, TimeZoneInfo? zone = null)
    {
        _zone = zone ?? TimeZoneInfo.Utc;
        byte[] ip = address.GetAddressBytes();
        _fixed = new byte[ip.Length + ProcessBytes + RandomBytes];
        ip.CopyTo(_fixed, 0);
        BinaryPrimitives.WriteInt16BigEndian(_fixed.AsSpan(ip.Length), (short)processId);
        RandomNumberGenerator.Fill(_fixed.AsSpan(ip.Length + ProcessBytes));
        Digits = (_fixed.Length + TimeBytes + CounterBytes) * 2;
    }

    /// <summary>Characters of a key: 32, or 56 with an IPv6 address.</summary>
    public int Digits { get; }

    /// <summary>Writes the next key, <see cref="Digits"/> ASCII characters.</summary>
    /// <param name="nowMs">Milliseconds since 1970.</param>
    public void Write(Span<byte> utf8, long nowMs)
    {
        Span<byte> key = stackalloc byte[Digits / 2];
        _fixed.CopyTo(key);
        BinaryPrimitives.WriteInt32BigEndian(key[_fixed.Length..], (int)(nowMs - MonthStart(nowMs)));
        BinaryPrimitives.WriteInt16BigEndian(key[(_fixed.Length + TimeBytes)..], (short)Interlocked.Increment(ref _counter));
        Convert.TryToHexString(key, utf8, out _);
    }

    /// <summary>The next key as text.</summary>
    /// <inheritdoc cref="Write"/>
    public string Next(long nowMs)
    {
        Span<byte> utf8 = stackalloc byte[Digits];
        Write(utf8, nowMs);
        return System.Text.Encoding.ASCII.GetString(utf8);
    }

    private long MonthStart(long nowMs)
    {
        long start = Volatile.Read(ref _monthStartMs);
        if (nowMs < start || nowMs >= Volatile.Read(ref _nextMonthMs))
        {
            DateTimeOffset now = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(nowMs), _zone);
            var month = new DateTime(now.Year, now.Month, 1);
            start = ToUnixMs(month);
            Volatile.Write(ref _nextMonthMs, ToUnixMs(month.AddMonths(1)));
            Volatile.Write(ref _monthStartMs, start);
        }

        return start;
    }

    private long ToUnixMs(DateTime local) => new DateTimeOffset(local, _zone.GetUtcOffset(local)).ToUnixTimeMilliseconds();
}
