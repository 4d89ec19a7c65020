using GrayMQ.Settings;

namespace GrayMQ.Broker;

/// <summary>
/// RocketMQ's switches that promise what this broker cannot keep: protection of topics, replicas, another store. To ignore them would be to
/// start unprotected, so they may be given with the value that asks for nothing, and with no other.
/// </summary>
internal static class UnsupportedSettings
{
    private const string DefaultStoreType = "default";

    private const string NoAccessControl = "clients are neither authenticated nor authorized here";
    private const string NoReplicas = "there are no replicas";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        Switch("aclEnable", "Access control by plain_acl.yml", NoAccessControl),
        Switch("authenticationEnabled", "Clients have to authenticate themselves", NoAccessControl),
        Switch("authorizationEnabled", "What clients do is checked against their permissions", NoAccessControl),
        Switch("enableDLegerCommitLog", "Replicated log", NoReplicas),
        Switch("enableControllerMode", "Replicas under a controller", NoReplicas),
        Setting.Text("storeType", DefaultStoreType, "Kind of the message store; default, which keeps queues in files, is all there is") with
        {
            Check = type => type == DefaultStoreType ? null : $"{DefaultStoreType}; not supported: queues are kept in files only",
        },
    ];

    private static SettingDefinition<bool> Switch(string key, string description, string reason) =>
        Setting.Boolean(key, false, description + "; not supported") with
        {
            Check = enabled => enabled ? $"false; not supported: {reason}" : null,
        };
}
