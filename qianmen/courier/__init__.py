"""The courier: tells 110, departments and other systems what they must know."""
