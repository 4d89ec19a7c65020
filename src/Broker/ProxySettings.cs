using GrayMQ.Remoting.Proxies;
using GrayMQ.Settings;

namespace GrayMQ.Broker;

/// <summary>The settings of load balancers before the broker. RocketMQ has none: it believes whoever sends a PROXY header.</summary>
internal static class ProxySettings
{
    public static readonly SettingDefinition<ProxyMode> ProxyProtocol =
        Setting.Choice("proxyProtocol", ProxyMode.Off, "Whether connections may or must begin with a PROXY header (v1, v2) that names the client",
            ("off", ProxyMode.Off),
            ("optional", ProxyMode.Optional),
            ("required", ProxyMode.Required));

    public static readonly SettingDefinition<IReadOnlyList<string>> ProxyProtocolSources =
        Setting.List("proxyProtocolSources", [], "Load balancers whose PROXY headers are believed: address[/bits][;address[/bits]]") with
        {
            Check = sources => sources.All(source => ProxyOptions.TryParseSource(source, out _))
                ? null
                : "IP addresses, or networks as in 10.1.0.0/16, separated by ';'",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } = [ProxyProtocol, ProxyProtocolSources];

    /// <summary>A broker that believes nobody would refuse all that come through a load balancer, one by one.</summary>
    public static string? SourcesAreNamed(EffectiveSettings settings) =>
        settings.Get(ProxyProtocol) != ProxyMode.Off && settings.Get(ProxyProtocolSources).Count == 0
            ? "proxyProtocolSources to name the load balancers that are believed"
            : null;

    public static ProxyOptions ToOptions(EffectiveSettings settings) =>
        ProxyOptions.From(settings.Get(ProxyProtocol), settings.Get(ProxyProtocolSources));
}
