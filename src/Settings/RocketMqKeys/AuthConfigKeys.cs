namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the authentication part of broker.conf (RocketMQ 5.3.3: AuthConfig).</summary>
internal static class AuthConfigKeys
{
    public static readonly string[] Names =
    [
        "aclCacheExpiredSecond",
        "aclCacheMaxNum",
        "aclCacheRefreshSecond",
        "authConfigPath",
        "authenticationEnabled",
        "authenticationMetadataProvider",
        "authenticationProvider",
        "authenticationStrategy",
        "authenticationWhitelist",
        "authorizationEnabled",
        "authorizationMetadataProvider",
        "authorizationProvider",
        "authorizationStrategy",
        "authorizationWhitelist",
        "clusterName",
        "configName",
        "initAuthenticationUser",
        "innerClientAuthenticationCredentials",
        "migrateAuthFromV1Enabled",
        "statefulAuthenticationCacheExpiredSecond",
        "statefulAuthenticationCacheMaxNum",
        "statefulAuthorizationCacheExpiredSecond",
        "statefulAuthorizationCacheMaxNum",
        "userCacheExpiredSecond",
        "userCacheMaxNum",
        "userCacheRefreshSecond",
    ];
}
