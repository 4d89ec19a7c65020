using System.Net;

namespace GrayMQ.Gray.Tests;

public sealed class ClientSidesTests
{
    private static readonly IPAddress Address = IPAddress.Parse("10.1.2.3");

    [Theory]
    [InlineData(null, null, null, Side.Normal)]
    [InlineData(null, null, false, Side.Normal)]
    [InlineData(null, null, true, Side.Gray)]
    [InlineData(null, "pod-*", false, Side.Gray)]
    [InlineData(null, "10.1.0.0/16", null, Side.Gray)]
    [InlineData(null, "10.2.0.0/16", true, Side.Gray)]
    [InlineData(null, "10.2.0.0/16", null, Side.Normal)]
    [InlineData(Side.Normal, "pod-*", true, Side.Normal)]
    [InlineData(Side.Gray, "10.2.0.0/16", false, Side.Gray)]
    public void Side_OfAClient_IsTheStoredOneElseTheRulesElseTheFlagElseNormal(Side? stored, string? rule, bool? flag, Side expected)
    {
        GrayRelease release = Release(GrayReleaseState.Open) with
        {
            Rules = rule is null ? [] : [Rule(rule)],
            Clients = stored is { } side ? new Dictionary<string, Side> { ["pod-1"] = side } : [],
        };

        Assert.Equal(expected, ClientSides.Of(release, "pod-1", Address, flag));
    }

    [Theory]
    [InlineData(GrayReleaseState.Promoted)]
    [InlineData(GrayReleaseState.Withdrawn)]
    public void Side_WithoutAnOpenRelease_IsNormal(GrayReleaseState state)
    {
        GrayRelease release = Release(state) with
        {
            Rules = [Rule("pod-*"), Rule("10.1.0.0/16")],
            Clients = new Dictionary<string, Side> { ["pod-1"] = Side.Gray },
        };

        Assert.Equal(Side.Normal, ClientSides.Of(release, "pod-1", Address, true));
        Assert.Null(ClientSides.OfAddress(release, Address));
    }

    [Fact]
    public void SideOfAddress_OnlyAddressRules_Tell()
    {
        GrayRelease release = Release(GrayReleaseState.Open) with { Rules = [Rule("*"), Rule("10.1.0.0/16")] };

        Assert.Equal(Side.Gray, ClientSides.OfAddress(release, Address));
        Assert.Null(ClientSides.OfAddress(release, IPAddress.Parse("10.2.0.1")));
        Assert.Null(ClientSides.OfAddress(release, null));
    }

    private static GrayRule Rule(string pattern) =>
        new() { Kind = pattern.Contains('/', StringComparison.Ordinal) ? GrayRuleKind.Address : GrayRuleKind.ClientId, Pattern = pattern };

    private static GrayRelease Release(GrayReleaseState state) => new()
    {
        Group = "billing",
        Generation = 1,
        State = state,
        Promotion = GrayPromotion.Join,
        Leftover = GrayLeftover.Normal,
    };
}
