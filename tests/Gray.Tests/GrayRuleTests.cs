using System.Net;

namespace GrayMQ.Gray.Tests;

public sealed class GrayRuleTests
{
    [Theory]
    [InlineData("10.1.2.3@17#4", "10.1.2.3@17#4", true)]
    [InlineData("10.1.2.*@*", "10.1.2.3@17#4", true)]
    [InlineData("*", "", true)]
    [InlineData("?", "", false)]
    [InlineData("*canary*", "pod-canary-1@8", true)]
    [InlineData("*canary", "pod-canary-1@8", false)]
    [InlineData("a*b*c", "axxbyyc", true)]
    [InlineData("a*b*c", "axxbyy", false)]
    [InlineData("pod-?", "pod-1", true)]
    [InlineData("pod-?", "pod-12", false)]
    [InlineData("POD-1", "pod-1", false)]
    public void ClientIdRule_Pattern_MatchesTheWholeId(string pattern, string clientId, bool matches)
    {
        var rule = new GrayRule { Kind = GrayRuleKind.ClientId, Pattern = pattern };

        Assert.Null(rule.Problem());
        Assert.Equal(matches, rule.Matches(clientId, null));
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.1.0.0/16", "10.1.200.4", true)]
    [InlineData("10.1.7.9/16", "10.1.200.4", true)]
    [InlineData("10.1.0.0/16", "10.2.0.1", false)]
    [InlineData("10.1.0.0/16", "::ffff:10.1.0.1", true)]
    [InlineData("0.0.0.0/0", "192.0.2.1", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::1", true)]
    public void AddressRule_Network_HoldsItsAddresses(string pattern, string address, bool matches)
    {
        var rule = new GrayRule { Kind = GrayRuleKind.Address, Pattern = pattern };

        Assert.Null(rule.Problem());
        Assert.Equal(matches, rule.Matches("10.1.2.3@1", IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData(GrayRuleKind.Address, "10.1.0.0/33")]
    [InlineData(GrayRuleKind.Address, "10.1.0.0/-1")]
    [InlineData(GrayRuleKind.Address, "10.1.0.0/")]
    [InlineData(GrayRuleKind.Address, "pods.example")]
    [InlineData(GrayRuleKind.Address, "")]
    [InlineData(GrayRuleKind.ClientId, "")]
    [InlineData((GrayRuleKind)7, "x")]
    public void Rule_ThatIsNone_SaysWhy(GrayRuleKind kind, string pattern) =>
        Assert.NotNull(new GrayRule { Kind = kind, Pattern = pattern }.Problem());

    [Fact]
    public void ClientIdRule_ManyStars_EndsSoon()
    {
        var rule = new GrayRule { Kind = GrayRuleKind.ClientId, Pattern = string.Concat(Enumerable.Repeat("*a", 500)) };

        Assert.False(rule.Matches(new string('a', 499) + "b", null));
        Assert.False(rule.Matches(new string('a', 1000) + "b", null));
    }
}
