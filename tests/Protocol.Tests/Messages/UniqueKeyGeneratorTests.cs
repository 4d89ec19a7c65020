using System.Globalization;
using System.Net;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class UniqueKeyGeneratorTests
{
    private static readonly IPAddress Address = IPAddress.Parse("192.0.2.7");

    [Fact]
    public void Next_WithIPv4_HasRocketMqsLayout()
    {
        var keys = new UniqueKeyGenerator(Address, 0x1234);
        long now = Ms(new DateTimeOffset(2026, 11, 3, 0, 0, 1, 250, TimeSpan.Zero));

        string first = keys.Next(now);
        string second = keys.Next(now);

        Assert.Equal(32, first.Length);
        Assert.Equal("C00002071234", first[..12]);

        // 2 days and 1.25 s after the month began.
        Assert.Equal("0A4CBCE2", first[20..28]);
        Assert.Equal(first[..28], second[..28]);
        Assert.Equal(Number(first[28..]) + 1, Number(second[28..]));
    }

    [Fact]
    public void Next_WithIPv6_Has56Digits()
    {
        string key = new UniqueKeyGenerator(IPAddress.Parse("2001:db8::1"), 1).Next(0);

        Assert.StartsWith("20010DB8000000000000000000000001", key, StringComparison.Ordinal);
        Assert.Equal(56, key.Length);
    }

    [Fact]
    public void Next_InAnotherTimeZone_CountsFromItsMonth()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(8), "east", "east");
        long now = Ms(new DateTimeOffset(2026, 10, 31, 16, 0, 0, 5, TimeSpan.Zero));

        Assert.Equal("00000005", new UniqueKeyGenerator(Address, 1, zone).Next(now)[20..28]);
    }

    [Fact]
    public void Next_WhenTheMonthEnds_BeginsToCountAgain()
    {
        var keys = new UniqueKeyGenerator(Address, 1);
        long last = Ms(new DateTimeOffset(2026, 11, 30, 23, 59, 59, 999, TimeSpan.Zero));

        // 30 days less 1 ms need all 32 bits, as in Java, where the int overflows.
        Assert.Equal("9A7EC7FF", keys.Next(last)[20..28]);
        Assert.Equal("00000002", keys.Next(last + 3)[20..28]);
        Assert.Equal("9A7EC7FF", keys.Next(last)[20..28]);
    }

    [Fact]
    public void TwoGenerators_OfOneProcess_DoNotMeet() =>
        Assert.NotEqual(new UniqueKeyGenerator(Address, 1).Next(0), new UniqueKeyGenerator(Address, 1).Next(0));

    private static int Number(string hex) => int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
