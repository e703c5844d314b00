//! Referrals, plan overlay, co-management, steps, timers and measures as pure state machines.
