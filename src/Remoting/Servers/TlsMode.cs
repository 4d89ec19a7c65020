namespace GrayMQ.Remoting.Servers;

/// <summary>Which connections a port takes (RocketMQ: TlsMode).</summary>
public enum TlsMode
{
    /// <summary>Plain ones only; one that begins a TLS handshake is closed.</summary>
    Disabled,

    /// <summary>Both, told apart by their first byte.</summary>
    Permissive,

    /// <summary>TLS only.</summary>
    Enforcing,
}
