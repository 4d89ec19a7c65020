namespace GrayMQ.Remoting.Proxies;

/// <summary>Whether connections may begin with a header of the PROXY protocol.</summary>
public enum ProxyMode
{
    /// <summary>They may not: such a connection is refused.</summary>
    Off,

    /// <summary>Those that come from a proxy that is trusted may.</summary>
    Optional,

    /// <summary>All connections come from a proxy that is trusted, and begin with a header.</summary>
    Required,
}
